# SPDX-License-Identifier: MIT
"""Find a MicroPython unix port that can run the node, or unpack a private one.

Order: $MICROPYTHON ($MICROPYTHON_I386 for i386), PATH, the cache, then the packages of Debian 13,
unpacked beside the system and run by their own dynamic loader. The system is not changed:
apt works on its own sources, lists, cache and an empty status file.
Standard library only: tools/bootstrap.py runs this before there is a virtual environment.
"""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tools.apt_sources import SourcesError, debian_mirrors
from tools.errors import UserError

MIN_VERSION = (1, 23)  # first release that loads .mpy 6.3 (tools/compiled.py)
SUITE = "trixie"  # Debian 13: the first stable Debian whose MicroPython is new enough
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# The libraries the trixie binary links; a later suite renames them, so the suite is pinned too.
PACKAGES = (
    "micropython",
    "libc6",
    "libffi8",
    "libmbedcrypto16",
    "libmbedtls21",
    "libmbedx509-7",
)
PROBE = "import sys, asyncio, machine, socket, cryptolib; print(*sys.implementation.version[:2])"
DEBIAN_ARCH = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64", "armv7l": "armhf"}
ENVIRONMENT = {"native": "MICROPYTHON", "i386": "MICROPYTHON_I386"}

Log = Callable[[str], None]


class MicropythonMissingError(UserError):
    """No usable MicroPython here; the message names what to install."""


def _silent(_line: str) -> None:
    """Progress for callers that show none."""


def cache_dir() -> Path:
    """Where fetched images and unpacked tools are kept: one folder per user, shared by all
    checkouts. Raises UserError."""
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base) / "groundwatch"
    try:
        return Path.home() / ".cache" / "groundwatch"
    except RuntimeError:
        raise UserError("this user has no home folder: set XDG_CACHE_HOME") from None


def find(arch: str = "native", *, log: Log = _silent) -> Path:
    """Return the executable of a MicroPython >= 1.23 for `arch`.

    arch: "native", or a Debian architecture name; "i386" has the object sizes and the 2^30 tick
    wrap of a 32-bit board. log: called with one line before a slow step.
    Raises MicropythonMissingError with one line that names the remedy.
    """
    host = DEBIAN_ARCH.get(platform.machine(), platform.machine())
    wanted = host if arch == "native" else arch
    variable = ENVIRONMENT["native"] if wanted == host else ENVIRONMENT.get(wanted)
    given = os.environ.get(variable, "") if variable else ""
    if given:
        return _given(variable or "", given)
    on_path = shutil.which("micropython") if wanted == host else None
    if on_path and not _fault(Path(on_path)):
        return Path(on_path)
    if cached := next(_cached(wanted), None):
        return cached
    return _unpack(wanted, log)


def _given(variable: str, given: str) -> Path:
    located = shutil.which(given)
    if located is None:
        raise MicropythonMissingError(f"${variable} is {given!r}, which is not an executable")
    fault = _fault(Path(located))
    if fault:
        raise MicropythonMissingError(f"${variable} is {given!r}: {fault}")
    return Path(located).resolve()


def _fault(executable: Path) -> str:
    """Why this executable cannot be used; an empty string when it can."""
    environment = {k: v for k, v in os.environ.items() if k != "MICROPYPATH"}
    try:
        ran = subprocess.run(
            [str(executable), "-c", PROBE],
            capture_output=True,
            text=True,
            timeout=20,
            env=environment,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"does not run ({error})"
    if ran.returncode != 0:
        words = (ran.stderr or ran.stdout).strip().splitlines()
        return f"fails its probe ({words[-1] if words else f'exit {ran.returncode}'})"
    version = tuple(int(word) for word in ran.stdout.split())
    if version < MIN_VERSION:
        return f"is version {'.'.join(map(str, version))}, and 1.23 or later is needed"
    return ""


def _cached(arch: str) -> Iterator[Path]:
    for folder in sorted(cache_dir().glob(f"micropython_*_{arch}"), reverse=True):
        executable = folder / "micropython"
        if executable.is_file() and not _fault(executable):
            yield executable


def _unpack(arch: str, log: Log) -> Path:
    """Unpack Debian 13's packages into the cache; parallel callers wait for the first."""
    hint = _how_to_install()
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb") and KEYRING.is_file()):
        raise MicropythonMissingError(f"no MicroPython 1.23 or later found: {hint}")
    cache = cache_dir()
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"micropython_{arch}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if cached := next(_cached(arch), None):
            return cached
        log(f"MicroPython: unpacking Debian 13's package privately ({arch}) ...")
        with tempfile.TemporaryDirectory(prefix="unpack_", dir=cache) as scratch:
            try:
                final = _unpack_in(Path(scratch), cache, arch)
            except (SourcesError, subprocess.CalledProcessError, OSError) as error:
                detail = getattr(error, "stderr", None) or str(error)
                last = str(detail).strip().splitlines()[-1:] or ["no detail"]
                raise MicropythonMissingError(
                    f"could not unpack MicroPython ({arch}): {last[0]}; {hint}"
                ) from error
    fault = _fault(final)
    if fault:
        extra = " (does this kernel run 32-bit x86 programs?)" if arch == "i386" else ""
        raise MicropythonMissingError(f"the unpacked MicroPython for {arch} {fault}{extra}")
    return final


def _unpack_in(scratch: Path, cache: Path, arch: str) -> Path:
    debs = _download(scratch, arch)
    main = next(deb for deb in debs if deb.name.startswith("micropython_"))
    root = scratch / "image" / "root"
    root.mkdir(parents=True)
    for deb in debs:
        subprocess.run(
            ["dpkg-deb", "-x", str(deb), str(root)], check=True, capture_output=True, text=True
        )
    final = cache / main.name.replace("%3a", ":").removesuffix(".deb")
    loader = next(p for p in sorted(root.glob("usr/lib/**/ld-linux*.so*")) if p.is_file())
    libraries = sorted({str(p.parent.relative_to(root)) for p in root.glob("usr/lib/*/lib*.so.*")})
    # Only `ld.so --library-path`: in LD_LIBRARY_PATH a newer libc would break the host's programs.
    wrapper = root.parent / "micropython"
    wrapper.write_text(
        "#!/bin/sh\n"
        f'exec "{final}/root/{loader.relative_to(root)}" --library-path '
        f'"{":".join(f"{final}/root/{folder}" for folder in libraries)}" '
        f'"{final}/root/usr/bin/micropython" "$@"\n'
    )
    wrapper.chmod(0o755)
    shutil.rmtree(final, ignore_errors=True)  # an earlier damaged copy: a good one returned above
    root.parent.rename(final)
    return final / "micropython"


def _download(scratch: Path, arch: str) -> list[Path]:
    """Fetch the packages by apt from the machine's own mirror; the keyring checks signatures."""
    failure: subprocess.CalledProcessError | None = None
    for mirror in debian_mirrors():
        options = _apt_options(scratch, mirror, arch)
        packages = [f"{name}:{arch}" for name in PACKAGES]
        try:
            for words in (["update"], ["download", *packages]):
                subprocess.run(
                    ["apt-get", "-qq", *options, *words],
                    cwd=scratch,
                    check=True,
                    capture_output=True,
                    text=True,
                    timeout=300,
                )
        except subprocess.CalledProcessError as error:
            failure = error
            continue
        return sorted(scratch.glob("*.deb"))
    raise failure or SourcesError("no Debian mirror in apt's sources")


def _apt_options(scratch: Path, mirror: str, arch: str) -> list[str]:
    for folder in ("lists/partial", "cache/archives/partial"):
        (scratch / folder).mkdir(parents=True, exist_ok=True)
    (scratch / "status").touch()
    (scratch / "sources.list").write_text(
        f"deb [arch={arch} signed-by={KEYRING}] {mirror} {SUITE} main\n"
    )
    settings = {
        "Dir::Etc::SourceList": scratch / "sources.list",
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State::Lists": scratch / "lists",
        "Dir::State::Status": scratch / "status",
        "Dir::Cache": scratch / "cache",
        "APT::Architecture": arch,
        "APT::Architectures": arch,
        "APT::Sandbox::User": "root",  # the scratch folder belongs to the caller, not to _apt
        "Acquire::Languages": "none",
    }
    return [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]


def _how_to_install() -> str:
    if sys.platform == "darwin":
        return "brew install micropython"
    return "apt install micropython (Debian 13 or later), or set $MICROPYTHON"


def main() -> int:
    """Print the path of the executable: `python -m tools.micropython [arch]`."""
    arch = sys.argv[1] if len(sys.argv) > 1 else "native"
    try:
        print(find(arch, log=lambda line: print(line, file=sys.stderr)))
    except UserError as error:
        print(f"groundwatch: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
