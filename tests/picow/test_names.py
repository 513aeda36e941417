# SPDX-License-Identifier: MIT
"""The list of built-in names is that of the official image."""

from __future__ import annotations

import pytest

from sim_hardware.emulated.image import program_of
from tools.builtin_names import borrowable_names, builtin_names, read_pools


@pytest.mark.picow
def test_listed_names_are_those_of_the_official_image(pico_w_image):
    own, port, frozen = read_pools(program_of(pico_w_image))
    assert {name for name in own + port if name.isidentifier()} == {*borrowable_names()}
    assert {name for name in own + port + frozen if name.isidentifier()} == {*builtin_names()}
