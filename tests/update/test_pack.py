# SPDX-License-Identifier: MIT
"""A tree as one file, under real MicroPython: imports, reads, and what is no tree."""

from __future__ import annotations

from pathlib import Path

from gateway.updates import package
from tests.on_node import run_on_node

MODEL = bytes(range(256)) * 100
FILES = {
    "boards/__init__.py": b"",
    "ugs/__init__.py": b"",
    "ugs/deep/__init__.py": b"",
    "ugs/deep/er.py": b"from ugs.other import NAME\nHERE = __file__\n",
    "ugs/model.bin": MODEL,
    "ugs/other.py": 'NAME = "Ω" * 3000\n'.encode(),
}
SCRIPT = """
import os, sys
import pack

def fails(call, *args):
    try:
        call(*args)
    except OSError:
        return True
    return False

pack.attach("a.fw")
sys.path.insert(0, "/fw")
from ugs.deep import er
assert er.HERE == "/fw/ugs/deep/er.py" and er.NAME == "Ω" * 3000
with open("/fw/ugs/model.bin", "rb") as file:
    first, rest = file.read(7), file.read()
assert first + rest == bytes(range(256)) * 100
with open("/fw/ugs/model.bin", "rb") as file:
    buffer = bytearray(30_000)
    assert file.readinto(buffer) == 25_600 and file.readinto(buffer) == 0
assert os.stat("/fw/ugs/model.bin")[6] == 25_600 and os.stat("/fw/ugs/deep")[0] == 0x4000
for path in ("/fw/ugs/none.py", "/fw/ugs", "/fw/../a.fw"):
    assert fails(open, path, "rb"), path
assert fails(open, "/fw/ugs/other.py", "w") and fails(os.stat, "/fw/boards/none")
pack.detach()
assert fails(os.stat, "/fw/ugs")
for path in ("empty.fw", "cut.fw", "other.fw", "none.fw"):
    assert fails(pack.attach, path), path
print("ok")
"""


def test_tree_in_one_file_serves_imports_and_data(micropython: Path, tmp_path: Path):
    data = package.unsigned("pico_w", "0.2.0", FILES)
    (tmp_path / "a.fw").write_bytes(data)
    (tmp_path / "empty.fw").write_bytes(b"")
    (tmp_path / "cut.fw").write_bytes(data[:60])
    (tmp_path / "other.fw").write_bytes(b"x" + data[1:])
    script = tmp_path / "check.py"
    script.write_text(SCRIPT)
    assert run_on_node(micropython, script, cwd=tmp_path, heap="200k") == ["ok"]
