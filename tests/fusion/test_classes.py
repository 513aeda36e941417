# SPDX-License-Identifier: MIT
"""The class of an event, from the classes that its nodes report."""

from __future__ import annotations

import pytest

from gateway.fusion.evidence.verdict import classify
from gateway.model.target import TargetClass

PERSON, GROUP, VEHICLE = TargetClass.PERSON, TargetClass.GROUP, TargetClass.VEHICLE
UNKNOWN = TargetClass.UNKNOWN


@pytest.mark.parametrize(
    ("votes", "expected"),
    [
        ({GROUP: 0.9}, GROUP),
        ({GROUP: 1.8, PERSON: 0.9}, PERSON),
        ({GROUP: 3.6, PERSON: 0.9}, GROUP),
        ({GROUP: 0.9, PERSON: 0.9, VEHICLE: 1.0}, VEHICLE),
        ({UNKNOWN: 5.0, PERSON: 0.5}, PERSON),
        ({UNKNOWN: 0.9}, UNKNOWN),
        ({GROUP: 0.0, PERSON: 0.0}, UNKNOWN),
        ({}, UNKNOWN),
    ],
)
def test_report_of_a_person_counts_more_than_one_of_a_group(
    votes: dict[TargetClass, float], expected: TargetClass
) -> None:
    assert classify([votes]) is expected


def test_votes_of_several_observation_types_add_up() -> None:
    assert classify([{PERSON: 0.5}, {VEHICLE: 0.4}, {VEHICLE: 0.4}]) is VEHICLE
