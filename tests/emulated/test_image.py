# SPDX-License-Identifier: MIT
"""Images of the Pico W: found, read block by block, refused when they are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim_hardware.emulated.image import FLASH_BYTES, find, program_of, release_of
from sim_hardware.errors import SimError
from tests.usb.boards import uf2_image


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "own.uf2"
    path.write_bytes(uf2_image(b"program" * 100))
    return path


def test_program_of_an_image_is_what_it_puts_at_the_start_of_flash(image: Path):
    assert program_of(image)[:700] == b"program" * 100
    assert release_of(image) is None


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"no image" * 64, "no UF2"),
        (uf2_image(b"x" * 300)[:-1], "no whole UF2"),
        (uf2_image(b"x", family=0xE48BFF59), "no image for an RP2040"),
        (uf2_image(b"x" * (FLASH_BYTES + 256)), "no image for an RP2040"),
    ],
    ids=["empty", "noise", "cut", "RP2350", "too large"],
)
def test_program_of_anything_else_is_refused(tmp_path: Path, data: bytes, words: str):
    path = tmp_path / "bad.uf2"
    path.write_bytes(data)
    with pytest.raises(SimError, match=words):
        program_of(path)


def test_find_takes_the_named_then_the_variable_then_the_newest_in_the_cache(
    image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("PICO_W_UF2", raising=False)
    with pytest.raises(SimError, match=r"micropython\.org"):
        find(None, tmp_path)
    for name in ("RPI_PICO_W-20240222-v1.22.2.uf2", "RPI_PICO_W-20250415-v1.25.0.uf2"):
        (tmp_path / name).touch()
    assert find(None, tmp_path).name == "RPI_PICO_W-20250415-v1.25.0.uf2"
    monkeypatch.setenv("PICO_W_UF2", str(image))
    assert find(None, tmp_path) == image
    with pytest.raises(SimError, match="is no file"):
        find(tmp_path / "absent", tmp_path)
