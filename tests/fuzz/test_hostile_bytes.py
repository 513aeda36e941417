# SPDX-License-Identifier: MIT
"""Hostile bytes for every reader: a bounded share of what `make fuzz` does."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz import targets
from tests.fuzz.mutate import mutations, seeds

INPUTS = 20_000
SEED = 20261129


def test_every_reader_fed_mutations_refuses_typed_or_takes_them() -> None:
    valid = seeds()
    assert {data[0] for data in valid} == set(range(len(targets.TARGETS)))
    for data in mutations(valid, INPUTS, SEED):
        try:
            targets.run(data)
        except Exception as error:
            raise AssertionError(f"{type(error).__name__} for {data.hex()}") from error


@pytest.mark.parametrize("number", range(len(targets.TARGETS)))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.binary(max_size=300))
def test_reader_fed_any_bytes_refuses_typed_or_takes_them(number: int, data: bytes) -> None:
    targets.run(bytes((number,)) + data)


def test_client_fed_a_packet_beyond_its_size_skips_it_and_reads_the_next() -> None:
    huge = b"\x32\x80\x80\x40" + b"\0\3a/b\0\7" + b"x" * (1 << 20)
    targets.run(bytes((len(targets.TARGETS) - 1,)) + huge)
