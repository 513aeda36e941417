# SPDX-License-Identifier: MIT
"""The emulator's own C code, compiled once for this Python and kept in the cache.

The wheel of rp2040py is built for the stable ABI of any Python, which makes it three times slower
than the same C code compiled for one version. Import this module and call `use_compiled` before
anything imports rp2040py. It also compiles the project's own loop (loop.c) for `fast_loop`.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.machinery
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

_PACKAGE = "rp2040py.native."
_LOOP = Path(__file__).with_name("loop.c")


class _FromCache:
    """Finds the emulator's extension modules in the cache first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find_spec(
        self, name: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if not name.startswith(_PACKAGE):
            return None
        path = self.folder / (name.removeprefix(_PACKAGE) + _suffix())
        return importlib.util.spec_from_file_location(name, path) if path.is_file() else None


def use_compiled(cache: Path, log: Callable[[str], None]) -> bool:
    """Compile what `cache` lacks and import it from there; False without a C compiler."""
    sources = _sources()
    compiler, include = shutil.which("cc"), Path(sysconfig.get_path("include"))
    name = f"rp2040py-{version('rp2040py')}-{sys.implementation.cache_tag}"
    folder = cache / f"{name}-{sysconfig.get_platform()}"
    if not (folder / "complete").is_file():
        if compiler is None or not (include / "Python.h").is_file():
            log("emulator: no C compiler or no Python.h here, so it runs three times slower")
            return False
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # a second board that starts now waits for the first
            if not (folder / "complete").is_file():
                log("emulator: compiling its C code for this Python, once; about a minute ...")
                for source in sources:
                    _compile(compiler, include, source, folder / (source.stem + _suffix()))
                (folder / "complete").touch()
    sys.meta_path.insert(0, _FromCache(folder))
    _compile_loop(compiler, include, folder)
    return True


def fast_loop() -> Callable[[Any], None] | None:
    """The function that runs a batch of instructions instead of the emulator's own loop.

    None where `use_compiled` compiled none, or where the emulator has another layout.
    """
    if not (folder := _used_folder()):
        return None
    path = _loop_path(folder)
    spec = importlib.util.spec_from_file_location("loop", path) if path.is_file() else None
    if spec is None or spec.loader is None:
        return None
    loop = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loop)
    from rp2040py.rp2040 import RP2040

    if not is_laid_out(loop, RP2040()):
        return None
    run: Callable[[Any], None] = loop.execute_batch
    return run


def is_laid_out(loop: ModuleType, chip: Any) -> bool:
    """Whether the loop reads the same fields as the chip's classes; other layouts read wrongly."""
    if any("native" not in type(part).__module__ for part in (chip, chip.core, chip.clock)):
        return False
    core, clock = chip.core, chip.clock
    # Each field has a different value, so that a mix-up shows.
    core.pc, core.cycles, core.ipsr, core.enabled_interrupts = 0x10000100, 1 << 40, 21, 0x155
    core.waiting = True
    clock.create_alarm(lambda: None).schedule(700.0)
    clock.tick(300.0)
    for number, pio in enumerate(chip.pio):
        pio.stopped, pio.cycle_fp, pio.next_due_fp = bool(number), 1000 + number, 1 << 50
    expected = {
        "cycles": core.cycles,
        "pc": core.pc,
        "waiting": core.waiting,
        "ipsr": core.ipsr,
        "enabled_interrupts": core.enabled_interrupts,
        "interrupts_updated": core.interrupts_updated,
        "nanos": clock.nanos,
        "nanos_to_next_alarm": clock.nanos_to_next_alarm,
        "flash": len(chip.flash),
        "sram": len(chip.sram),
        **{f"pio{n}": [p.stopped, p.cycle_fp, p.next_due_fp] for n, p in enumerate(chip.pio)},
    }
    return bool(loop.layout(chip) == expected)


def _used_folder() -> Path | None:
    found = [finder.folder for finder in sys.meta_path if isinstance(finder, _FromCache)]
    return found[0] if found else None


def _loop_path(folder: Path) -> Path:
    """The path holds a hash of the source, so that a change is compiled again."""
    digest = hashlib.sha256(_LOOP.read_bytes()).hexdigest()[:16]
    return folder / f"loop-{digest}{_suffix()}"


def _compile_loop(compiler: str | None, include: Path, folder: Path) -> None:
    """Compile loop.c. If that fails, the emulator's own loop is used."""
    path = _loop_path(folder)
    if path.is_file() or compiler is None or not (include / "Python.h").is_file():
        return
    part = path.with_name(f"{os.getpid()}-{path.name}")
    try:
        _compile(compiler, include, _LOOP, part)
        part.replace(path)
    except (subprocess.CalledProcessError, OSError):
        part.unlink(missing_ok=True)


def _suffix() -> str:
    return str(sysconfig.get_config_var("EXT_SUFFIX"))


def _sources() -> list[Path]:
    # `find_spec("rp2040py.native")` would import rp2040py itself.
    found = importlib.util.find_spec("rp2040py")
    assert found is not None and found.origin is not None
    return sorted((Path(found.origin).parent / "native").glob("*.c"))


def _compile(compiler: str, include: Path, source: Path, out: Path) -> None:
    words = ["-O2", "-w", "-shared", "-fPIC", f"-I{include}", str(source), "-o", str(out)]
    subprocess.run([compiler, *words], check=True)
