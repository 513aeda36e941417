# SPDX-License-Identifier: MIT
"""The emulator's own C code, compiled once for this Python and kept in the cache.

The wheel of rp2040py is built for the stable ABI of any Python, which makes it three times slower
than the same C code compiled for one version. Import this module and call `use_compiled` before
anything imports rp2040py.
"""

from __future__ import annotations

import fcntl
import importlib.machinery
import importlib.util
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

_PACKAGE = "rp2040py.native."


class _FromCache:
    """Finds the emulator's extension modules in the cache first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find_spec(
        self, name: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if not name.startswith(_PACKAGE):
            return None
        path = self._folder / (name.removeprefix(_PACKAGE) + _suffix())
        return importlib.util.spec_from_file_location(name, path) if path.is_file() else None


def use_compiled(cache: Path, say: Callable[[str], None]) -> bool:
    """Compile what `cache` does not hold yet and have it imported; False without a C compiler."""
    sources = _sources()
    compiler, include = shutil.which("cc"), Path(sysconfig.get_path("include"))
    name = f"rp2040py-{version('rp2040py')}-{sys.implementation.cache_tag}"
    folder = cache / f"{name}-{sysconfig.get_platform()}"
    if not (folder / "complete").is_file():
        if compiler is None or not (include / "Python.h").is_file():
            say("emulator: no C compiler or no Python.h here, so it runs three times slower")
            return False
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # a second board that starts now waits for the first
            if not (folder / "complete").is_file():
                say("emulator: compiling its C code for this Python, once; about a minute ...")
                for source in sources:
                    _compile(compiler, include, source, folder)
                (folder / "complete").touch()
    sys.meta_path.insert(0, _FromCache(folder))
    return True


def _suffix() -> str:
    return str(sysconfig.get_config_var("EXT_SUFFIX"))


def _sources() -> list[Path]:
    # `find_spec("rp2040py.native")` would import rp2040py itself.
    found = importlib.util.find_spec("rp2040py")
    assert found is not None and found.origin is not None
    return sorted((Path(found.origin).parent / "native").glob("*.c"))


def _compile(compiler: str, include: Path, source: Path, folder: Path) -> None:
    out = folder / (source.stem + _suffix())
    words = ["-O2", "-w", "-shared", "-fPIC", f"-I{include}", str(source), "-o", str(out)]
    subprocess.run([compiler, *words], check=True)
