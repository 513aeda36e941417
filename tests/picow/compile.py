# SPDX-License-Identifier: MIT
"""The emulator's own C code, compiled for this Python: a third of the time of its wheel, which is
built for any Python (stable ABI). `make picow` does it once where there is a C compiler."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sysconfig
from pathlib import Path


def compile_emulator() -> str:
    """What was done, in a line."""
    found = importlib.util.find_spec("rp2040py.native")
    assert found is not None and found.origin is not None
    folder = Path(found.origin).parent
    compiler, include = shutil.which("cc"), Path(sysconfig.get_path("include"))
    if compiler is None or not (include / "Python.h").is_file():
        return "emulator: no C compiler or no Python.h here, it runs three times slower"
    # Python takes this one before the .abi3.so beside it (importlib.machinery.EXTENSION_SUFFIXES).
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    todo = [at for at in sorted(folder.glob("*.c")) if not at.with_suffix(suffix).exists()]
    for source in todo:
        made = source.with_suffix(".made")
        words = ["-O2", "-w", "-shared", "-fPIC", f"-I{include}", str(source), "-o", str(made)]
        subprocess.run([compiler, *words], check=True)
        made.replace(source.with_suffix(suffix))
    return f"emulator: {len(todo)} files compiled for this Python"


if __name__ == "__main__":
    print(compile_emulator())
