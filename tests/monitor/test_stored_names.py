# SPDX-License-Identifier: MIT
"""Renamed fields are stored under their first names: a replay must give the same bytes."""

from __future__ import annotations

import json

import pytest

from gateway.alarms.coverage import Coverage
from gateway.model.alarm import Alarm, AlarmKind
from gateway.model.detection import ActivityId
from gateway.model.event import Fix
from gateway.model.footfalls import Footfall, Footfalls
from gateway.model.text import format_json, parse_json

FIX = '{"at_us":7,"error_m":2.0,"loudness":1.5,"vx_m_s":0.0,"vy_m_s":1.0,"x_m":3.0,"y_m":4.0}'
FOOTFALLS = '{"activity":["n01",3,20000],"heard":[{"at_us":7,"error_us":90,"peak_um_s":2.5}]}'
COVERAGE = '{"deaf":["west"],"jammed":[],"lost_us":{"n01":7},"spans":{"n01":[[3,0]]}}'
ALARM = (
    '{"acknowledged":true,"acknowledged_by":"eva","acknowledged_us":9,"active":false,'
    '"changed_us":9,"claims":[],"confidence":0.97,"detections":[["n01",1,20000]],'
    '"direction_deg":null,"disposition":"animal","ellipse":null,"error_m":null,"escalated_to":"",'
    '"escalation":0,"id":1,"judged_by":"ben","key":"e1","kind":"intrusion","late":false,'
    '"masked":"","nodes":["n01"],"note":"","priority":1,"raised_us":3,"reasons":[],'
    '"sectors":["west"],"sources":[],"speed_m_s":null,"suppressed":"","target":"person",'
    '"told_us":5,"unsure":false,"walk":"","x_m":75.0,"y_m":0.0}'
)


def test_stored_fields_with_a_new_name_are_read_from_their_first_name() -> None:
    assert parse_json(FIX, Fix) == Fix(7, 3.0, 4.0, 0.0, 1.0, 2.0, source_level=1.5)
    assert parse_json(FOOTFALLS, Footfalls) == Footfalls(
        ActivityId("n01", 3, 20000), footfalls=(Footfall(7, 90, 2.5),)
    )
    assert parse_json(COVERAGE, Coverage).uncovered == {"west"}
    alarm = parse_json(ALARM, Alarm)
    assert (alarm.kind, alarm.notified_us, alarm.assessed_by) == (AlarmKind.INTRUSION, 5, "ben")


@pytest.mark.parametrize(
    ("stored", "kind"),
    [(FIX, Fix), (FOOTFALLS, Footfalls), (COVERAGE, Coverage), (ALARM, Alarm)],
)
def test_stored_value_read_and_written_again_has_the_same_bytes(
    stored: str, kind: type[object]
) -> None:
    plain = json.loads(stored)
    assert json.dumps(plain, separators=(",", ":"), sort_keys=True) == stored
    assert format_json(parse_json(stored, kind)) == stored
