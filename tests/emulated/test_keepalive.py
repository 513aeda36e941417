# SPDX-License-Identifier: MIT
"""The keepalive in a node's MQTT CONNECT is raised on the emulated network, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim_hardware.emulated.network import KEEPALIVE_S, with_patient_keepalive

# MQTT 3.1.1, 3.1.2: protocol name, level 4, flags, keepalive 30 s; then a client's name.
CONNECT = b"\x10\x0f\x00\x04MQTT\x04\x02\x00\x1e\x00\x03n07"


def test_keepalive_of_a_connect_is_raised():
    assert with_patient_keepalive(CONNECT) == CONNECT.replace(
        b"\x00\x1e", KEEPALIVE_S.to_bytes(2, "big")
    )


def test_keepalive_of_a_long_connect_is_raised():
    long = b"\x10\xc8\x01" + CONNECT[2:] + bytes(185)
    changed = with_patient_keepalive(long)
    assert changed == long.replace(b"\x00\x1e", KEEPALIVE_S.to_bytes(2, "big"))


@pytest.mark.parametrize("length", range(len(CONNECT) - 5))
def test_first_bytes_that_end_before_the_keepalive_stay(length):
    assert with_patient_keepalive(CONNECT[:length]) == CONNECT[:length]


@given(st.binary(max_size=40))
def test_anything_else_stays(data):
    changed = with_patient_keepalive(data)
    assert changed == data or (data[:1] == b"\x10" and b"\0\4MQTT" in data)
