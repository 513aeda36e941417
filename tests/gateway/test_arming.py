# SPDX-License-Identifier: MIT
"""Arming schedules: strictly read, right on the nights when clocks are changed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.alarms.schedule import Schedule, parse_windows
from gateway.config import EXAMPLE, load_config
from gateway.config.alarms import alarm_rules
from gateway.errors import ConfigError
from gateway.model.place.site import Node, Site

BERLIN = ZoneInfo("Europe/Berlin")
ARMING = (
    '[[arming]]\nsectors = ["gate"]\ntime_zone = "Europe/Berlin"\narmed = ["mon 18:00-06:00"]\n'
)
STEP = '[[escalation]]\nafter_s = 120\nto = "shift leader"\n'


def schedule(*written: str, zone: ZoneInfo = BERLIN) -> Schedule:
    return Schedule(zone, tuple(w for line in written for w in parse_windows(line)), "")


def us(utc: str) -> int:
    return int(datetime.fromisoformat(utc).replace(tzinfo=UTC).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("utc", "armed"),
    [
        ("2026-11-23 16:59:59", False),  # Monday 17:59:59 in Berlin
        ("2026-11-23 17:00:00", True),
        ("2026-11-24 04:59:59", True),
        ("2026-11-24 05:00:00", False),
        ("2026-07-06 15:59:59", False),  # in summer 18:00 is two hours after UTC's
        ("2026-07-06 16:00:00", True),
    ],
)
def test_schedule_goes_by_the_clock_on_the_wall(utc: str, armed: bool) -> None:
    assert schedule("mon 18:00-06:00").armed(us(utc)) is armed


@pytest.mark.parametrize(
    ("utc", "armed"),
    [
        # 2026-10-25, 01:00 UTC: 03:00 becomes 02:00, so 02:30 comes twice.
        ("2026-10-24 23:59:59", False),
        ("2026-10-25 00:00:00", True),
        ("2026-10-25 00:59:59", True),
        ("2026-10-25 01:00:00", True),
        ("2026-10-25 01:59:59", True),
        ("2026-10-25 02:00:00", False),
    ],
)
def test_schedule_hour_that_comes_twice_is_armed_twice(utc: str, armed: bool) -> None:
    assert schedule("sun 02:00-03:00").armed(us(utc)) is armed


def test_schedule_begin_in_the_hour_left_out_arms_when_the_clock_jumps() -> None:
    # 2026-03-29, 01:00 UTC: 02:00 becomes 03:00.
    night = schedule("sun 02:30-06:00")
    assert not night.armed(us("2026-03-29 00:59:59"))
    assert night.armed(us("2026-03-29 01:00:00"))


def test_schedule_of_sunday_night_reaches_into_monday() -> None:
    night = schedule("sat-sun 20:00-07:00", zone=ZoneInfo("UTC"))
    assert night.armed(us("2026-11-23 06:59:00"))
    assert not night.armed(us("2026-11-23 07:00:00"))
    assert not night.armed(us("2026-11-24 03:00:00"))


def test_schedule_days_may_wrap_and_a_day_may_be_whole() -> None:
    assert len(parse_windows("fri-mon 00:00-24:00")) == 4
    whole = schedule("fri-mon 00:00-24:00", zone=ZoneInfo("UTC"))
    days = [whole.armed(us(f"2026-11-{day} 23:59:00")) for day in range(23, 30)]
    assert days == [True, False, False, False, True, True, True]


@pytest.mark.parametrize(
    "written",
    ["", "mon", "mon 18-06", "mon 18:00 - 06:00", "Mon 18:00-06:00", "mom 18:00-06:00",
     "mon-xyz 18:00-06:00", "mon 24:00-06:00", "mon 18:60-20:00", "mon 18:00-25:00",
     "mon 18:00-24:01", "mon 18:00-06:00 ", "mon 18:00-06:00\n", "mon 1\uff18:00-06:00"],
)  # fmt: skip
def test_window_that_is_not_one_is_refused(written: str) -> None:
    with pytest.raises(ValueError):
        parse_windows(written)


def read(folder: Path, more: str) -> object:
    path = folder / "gateway.toml"
    path.write_text(EXAMPLE + more)
    config = load_config(path)
    return alarm_rules(config.alarms, Site("yard", {"n1": Node("n1", 0, 0, "gate")}, {}))


def test_config_of_arming_and_escalation_is_read(tmp_path: Path) -> None:
    rules = read(tmp_path, ARMING + STEP + STEP.replace("120", "300") + "priority = 2\n")
    assert rules.schedules["gate"].text == "mon 18:00-06:00 (Europe/Berlin)"
    assert [(step.after_us, step.priority) for step in rules.escalation] == [
        (120_000_000, 1),
        (300_000_000, 2),
    ]


def test_config_arming_without_a_time_zone_has_that_of_the_gateway(tmp_path: Path) -> None:
    without = ARMING.replace('time_zone = "Europe/Berlin"\n', "")
    path = tmp_path / "gateway.toml"
    path.write_text(f'[gateway]\ntime_zone = "Asia/Tokyo"\n{without}')
    assert load_config(path).alarms.schedules["gate"].text == "mon 18:00-06:00 (Asia/Tokyo)"
    path.write_text(f"[gateway]\n{without}")
    with pytest.raises(ConfigError, match=r"arming\[0\].time_zone is missing"):
        load_config(path)


def test_config_example_of_arming_is_right_once_it_is_uncommented(tmp_path: Path) -> None:
    lines = [
        line.removeprefix("# ") for line in EXAMPLE.splitlines() if " = " in line or "[" in line
    ]
    path = tmp_path / "gateway.toml"
    path.write_text("\n".join(lines))
    config = load_config(path)
    assert set(config.alarms.schedules) == {"gate"}
    assert config.alarms.escalation[0].to == "shift leader"


@pytest.mark.parametrize(
    ("more", "names"),
    [
        (ARMING.replace('"Europe/Berlin"', '"Europe/Berln"'), "time_zone"),
        (ARMING.replace('"Europe/Berlin"', '"../../etc/passwd"'), "time_zone"),
        (ARMING.replace('"Europe/Berlin"', '"Europe"'), "time_zone"),
        (ARMING.replace('"Europe/Berlin"', "1"), "time_zone"),
        (ARMING.replace("18:00", "18"), "armed"),
        (ARMING.replace('["mon 18:00-06:00"]', "[]"), "armed"),
        (ARMING.replace('["mon 18:00-06:00"]', '"mon 18:00-06:00"'), "armed"),
        (ARMING.replace('["gate"]', '["gate", "gate"]'), "twice"),
        (ARMING + ARMING, "twice"),
        (ARMING.replace("gate", "moon"), "moon"),
        (ARMING + "colour = 1\n", "colour"),
        (STEP.replace("120", "1"), "after_s"),
        (STEP.replace("120", "-5"), "after_s"),
        (STEP + STEP, "growing"),
        (STEP.replace("shift leader", "x" * 33), "to"),
        (STEP.replace("shift leader", ""), "to"),
        (STEP + "priority = 4\n", "priority"),
    ],
)
def test_config_of_arming_that_is_wrong_is_one_line_with_the_key(
    tmp_path: Path, more: str, names: str
) -> None:
    with pytest.raises(ConfigError) as error:
        read(tmp_path, more)
    assert names in str(error.value)
    assert "\n" not in str(error.value)
