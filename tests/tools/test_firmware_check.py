# SPDX-License-Identifier: MIT
"""The check of node code: a wrong hardware call fails on its port, impossible syntax fails."""

from __future__ import annotations

import pytest

from tools import firmware_check
from tools.compiled import architectures
from tools.errors import UserError
from tools.firmware_check import PORTS, compile_file, port_files, type_check

RIGHT = """
import micropython
from array import array
from machine import ADC, Pin


@micropython.viper
def total(samples: ptr32, n: int) -> int:
    s = 0
    for i in range(n):
        s += samples[i]
    return s


def read():
    Pin(15, Pin.IN, Pin.PULL_UP)
    total(array("i", [1, 2]), 2)
    return ADC(26).read_u16()
"""


def _write(folder, text):
    path = folder / "board_under_test.py"
    path.write_text(text)
    return path


BOARDS = ("rp2", "esp32")


@pytest.mark.parametrize("port", BOARDS)
def test_type_check_of_right_hardware_calls_is_silent(port, tmp_path):
    path = _write(tmp_path, RIGHT)
    assert type_check(port, [path], cwd=tmp_path) == ""


@pytest.mark.parametrize("port", BOARDS)
@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("Pin.IN,", "Pin.INN,"),
        ("Pin.PULL_UP)", "pull='up')"),
        ("read_u16", "read_u17"),
        ("Pin(15, Pin.IN,", "Pin(15, 'in',"),
    ],
)
def test_type_check_of_a_wrong_pin_or_adc_call_complains(port, right, wrong, tmp_path):
    path = _write(tmp_path, RIGHT.replace(right, wrong))
    assert "error:" in type_check(port, [path], cwd=tmp_path)


def test_type_check_of_another_ports_module_complains_on_this_port(tmp_path):
    path = _write(tmp_path, "import esp32\n\n\ndef cause():\n    return esp32.raw_temperature()\n")
    assert type_check("esp32", [path], cwd=tmp_path) == ""
    assert "esp32" in type_check("rp2", [path], cwd=tmp_path)


def test_port_files_of_an_unknown_board_refuse_to_leave_it_unchecked(tmp_path):
    board = tmp_path / "boards" / "abacus"
    board.mkdir(parents=True)
    (board / "board.py").write_text("")
    with pytest.raises(UserError, match="abacus"):
        list(port_files("rp2", tmp_path))


def test_port_files_of_every_port_cover_the_whole_firmware():
    covered = {path for port in PORTS for path in port_files(port)}
    assert covered == set(firmware_check.firmware_files())


@pytest.mark.parametrize("architecture", architectures())
def test_compile_of_viper_code_works_for_the_architecture(architecture, tmp_path):
    assert compile_file(_write(tmp_path, RIGHT), architecture, tmp_path) == ""


def test_compile_of_syntax_micropython_lacks_names_file_and_architecture(tmp_path):
    path = _write(tmp_path, "def f(x):\n    match x:\n        case 1:\n            return 2\n")
    complaint = compile_file(path, "armv6m", tmp_path)
    assert path.name in complaint
    assert "armv6m" in complaint
