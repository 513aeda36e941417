# SPDX-License-Identifier: MIT
"""`make fuzz`: a million mutations of valid inputs, then atheris where it is installed.

Prints what it did: crashes (it ends at the first), the slowest input, memory before and after.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from importlib.util import find_spec
from pathlib import Path

from tests.fuzz import targets
from tests.fuzz.mutate import mutations, seeds

_WARM_UP = 20_000
_SLOW_S = 0.002
_AGAIN = 5
FOUND = Path("build/fuzz")


def rss_kb() -> int:
    """Resident memory now, kB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() // 1024


def _cost_s(data: bytes) -> float:
    """Processor time of one input over all readers."""
    started_s = time.process_time()
    targets.run(data)
    return time.process_time() - started_s


def mutate(count: int, seed: int) -> None:
    """Raises any error of a reader, with the input in hexadecimal."""
    paused, slow, worst_s, before_kb = 0, 0, 0.0, 0
    for number, data in enumerate(mutations(seeds(), count, seed)):
        try:
            took_s = _cost_s(data)
            if took_s > _SLOW_S:
                # A pause of the collector or the machine is no cost of the input: measure again.
                paused += 1
                took_s = min(_cost_s(data) for _ in range(_AGAIN))
        except Exception:
            print(f"input {data.hex()}", file=sys.stderr)
            raise
        if took_s > _SLOW_S:
            slow += 1
            print(f"slow input {data.hex()}", file=sys.stderr)
        worst_s = max(worst_s, took_s)
        if number == _WARM_UP:
            before_kb = rss_kb()
    print(
        f"{count:,} mutated inputs over {len(targets.TARGETS)} readers, seed {seed}: 0 crashes, "
        f"0 untyped exceptions; slowest {1000 * worst_s:.1f} ms of processor, {slow} above "
        f"{1000 * _SLOW_S:.0f} ms ({paused} the first time, the others only then); memory "
        f"{before_kb:,} kB after {_WARM_UP:,}, {rss_kb():,} kB at the end",
        flush=True,
    )


def guided(seconds: int) -> None:
    """Coverage-guided, for so long; atheris ends the process itself."""
    import atheris  # type: ignore[import-not-found]  # installed by `make fuzz` only

    corpus = FOUND / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(seeds()):
        (corpus / f"seed{number:04}").write_bytes(data)
    atheris.instrument_all()
    words = [f"-max_total_time={seconds}", "-max_len=2100", f"-artifact_prefix={FOUND}/"]
    atheris.Setup([sys.argv[0], *words, "-print_final_stats=1", str(corpus)], targets.run)
    atheris.Fuzz()


def main() -> None:
    """See the module docstring."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=60, help="of coverage-guided search")
    args = parser.parse_args()
    mutate(args.inputs, args.seed)
    if args.seconds and find_spec("atheris") is None:
        print("atheris is not here (it has no wheel for this Python): no coverage-guided search")
    elif args.seconds:
        guided(args.seconds)


if __name__ == "__main__":
    main()
