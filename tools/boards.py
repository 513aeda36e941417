# SPDX-License-Identifier: MIT
"""The boards with firmware: one row each, used by all tools.

A complete board has its row here, its folder in firmware/boards, its rows in the simulator
(parts/rows.py, shims/simcosts.py) and in tools/wiring/boards.toml and tools/power/boards.toml;
tests/architecture/test_boards.py lists what is missing.
"""

from __future__ import annotations

from dataclasses import dataclass

RP2, ESP32 = "rp2", "esp32"  # ports of MicroPython
PORTS = (RP2, ESP32)
# Smallest heap, in bytes, with which a node with an ADS1220 starts and keeps running in the
# simulator: heaps of 166,000 and less ended with a MemoryError.
NODE_HEAP = 166_500
# RP2350 datasheet 5.5.3; of the RP2350: Arm, secure.
_RP2040_UF2, _RP2350_UF2 = 0xE48BFF56, 0xE48BFF59


@dataclass(frozen=True)
class BoardRow:
    """How MicroPython is installed on a board, and how an installed one is recognised.

    `chip` ends sys.implementation._machine: "... with ESP32S3". `machine` is another part of it, in
    which boards of one chip differ; `build` is the part that only the right image has.
    `image_sha256` is None where no two sources of an image are known: the user then provides it
    (docs/adr/0011).
    """

    name: str
    port: str
    architecture: str  # of machine code, as mpy-cross names it
    chip: str
    release: str  # of MicroPython
    image_name: str
    image_sha256: str | None
    machine: str = ""
    build: str = ""
    uf2_family: int = 0  # of a board with a boot ROM drive
    flash_offset: int = 0  # of a board that esptool writes
    # At the prompt, before the radio is on. Less: the board lacks the memory that its kind has.
    heap_least: int = 0
    unsupported: str = ""  # why a board that has firmware cannot run it


BOARDS = (
    BoardRow(
        "pico_w",
        RP2,
        "armv6m",
        "RP2040",
        "1.25.0",
        "RPI_PICO_W-20250415-v1.25.0.uf2",
        "d03ed810bacefd6aa2463d4826597d7f8db94710865d8bf67b3de66087507b10",
        machine="Pico W",
        uf2_family=_RP2040_UF2,
    ),
    BoardRow(
        "pico2_w",
        RP2,
        "armv7emsp",
        "RP2350",
        "1.25.0",
        "RPI_PICO2_W-20250415-v1.25.0.uf2",
        None,
        machine="Pico 2 W",
        uf2_family=_RP2350_UF2,
    ),
    BoardRow(
        "esp32",
        ESP32,
        "xtensawin",
        "ESP32",
        "1.25.0",
        "ESP32_GENERIC-SPIRAM-20250415-v1.25.0.bin",
        None,
        build="SPIRAM",
        flash_offset=0x1000,
        heap_least=500_000,  # PSRAM has 2 MB and more; without it 134,544 B were published
    ),
    BoardRow(
        "esp32_s3",
        ESP32,
        "xtensawin",
        "ESP32S3",
        "1.25.0",
        "ESP32_GENERIC_S3-20250415-v1.25.0.bin",
        None,
    ),
    BoardRow(
        "esp32_c3",
        ESP32,
        "rv32imc",
        "ESP32C3",
        "1.25.0",
        "ESP32_GENERIC_C3-20250415-v1.25.0.bin",
        None,
        unsupported=f"the node needs {NODE_HEAP >> 10} KB of heap, beside its radio are 138 KB",
    ),
)
# Code that the boards of one port share, by its file in firmware/boards. What is not here is for
# all ports.
SHARED = {"espressif.py": ESP32, "raspberry_pi.py": RP2, "rp2_adc.py": RP2}


def of_port(name: str, port: str) -> bool:
    """Whether a file of firmware/boards is for a port."""
    return SHARED.get(name, port) == port


def row_of(name: str) -> BoardRow | None:
    """The row of a board; None when there is none."""
    return next((row for row in BOARDS if row.name == name), None)
