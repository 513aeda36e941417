# SPDX-License-Identifier: MIT
"""A tree as one file, under real MicroPython: imports, reads, and what is no tree."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.updates import package
from tests.on_node import run_on_node
from tools.compiled import mpy_of_interpreter
from tools.image import compiled_files

MODEL = bytes(range(256)) * 100
FILES = {
    "boards/__init__.py": b"",
    "ugs/__init__.py": b"",
    "ugs/deep/__init__.py": b"",
    "ugs/deep/er.py": b"from ugs.other import NAME\nHERE = __file__\n",
    "ugs/model.bin": MODEL,
    "ugs/other.py": b"""import micropython

@micropython.viper
def total(n: int) -> int:
    return n * (n + 1) >> 1

NAME = "\xce\xa9" * total(3)
""",
}
SCRIPT = """
import os, sys
import package

def fails(call, *args):
    try:
        call(*args)
    except OSError:
        return True
    return False

package.attach("a.fw")
sys.path.insert(0, "/fw")
from ugs.deep import er
assert er.HERE == "/fw/ugs/deep/er.mpy" and er.NAME == "Ω" * 6
with open("/fw/ugs/model.bin", "rb") as file:
    first, rest = file.read(7), file.read()
assert first + rest == bytes(range(256)) * 100
with open("/fw/ugs/model.bin", "rb") as file:
    buffer = bytearray(30_000)
    assert file.readinto(buffer) == 25_600 and file.readinto(buffer) == 0
assert os.stat("/fw/ugs/model.bin")[6] == 25_600 and os.stat("/fw/ugs/deep")[0] == 0x4000
for path in ("/fw/ugs/none.mpy", "/fw/ugs", "/fw/../a.fw"):
    assert fails(open, path, "rb"), path
assert fails(open, "/fw/ugs/other.mpy", "w") and fails(os.stat, "/fw/boards/none")
package.detach()
assert fails(os.stat, "/fw/ugs")
for path in ("empty.fw", "cut.fw", "other.fw", "none.fw", "foreign.fw", "older.fw"):
    assert fails(package.attach, path), path
fed = []
package.attach("a.fw", None, lambda: fed.append(1))
package.detach()
assert len(fed) == 6
for path in ("flipped.fw", "short.fw", "empty.fw"):
    assert fails(package.attach, path, None, lambda: None), path
print("ok")
"""


def write_trees(out: Path, mpy: int) -> None:
    """What SCRIPT reads: a tree for the MicroPython that runs it, and some that are none for it."""
    compiled = compiled_files(FILES, mpy)
    data = package.unsigned("pico_w", "0.2.0", mpy, compiled)
    (out / "a.fw").write_bytes(data)
    (out / "empty.fw").write_bytes(b"")
    (out / "flipped.fw").write_bytes(data[:-9] + bytes([data[-9] ^ 4]) + data[-8:])
    (out / "short.fw").write_bytes(data[:-1])
    (out / "cut.fw").write_bytes(data[:60])
    (out / "other.fw").write_bytes(b"x" + data[1:])
    for name, number in (("foreign", mpy ^ 1 << 10), ("older", mpy ^ 1 << 8)):
        (out / f"{name}.fw").write_bytes(package.unsigned("pico_w", "0.2.0", number, compiled))


@pytest.mark.parametrize("build", ["micropython", "micropython_i386"])
def test_tree_in_one_file_serves_imports_and_data(
    build: str, request: pytest.FixtureRequest, tmp_path: Path
):
    interpreter = request.getfixturevalue(build)
    write_trees(tmp_path, mpy_of_interpreter(interpreter))
    script = tmp_path / "check.py"
    script.write_text(SCRIPT)
    assert run_on_node(interpreter, script, cwd=tmp_path, heap="200k") == ["ok"]
