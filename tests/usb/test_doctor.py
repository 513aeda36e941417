# SPDX-License-Identifier: MIT
"""`groundwatch doctor`: faults are found and reported with their remedy."""

from __future__ import annotations

import json
import os

import pytest

from gateway.service.clock_quality import ClockQuality
from tests.usb.rig import write_site
from tools import cli, doctor
from tools.flash.ports import Port


@pytest.fixture
def site(tmp_path):
    return write_site(tmp_path)


def states(site) -> dict[str, str]:
    return {finding.check: finding.state for finding in doctor.examine(site)}


def test_doctor_sound_site_has_no_problem(site, capsys) -> None:
    assert cli.main(["doctor", "--config", str(site), "--json"]) == 0
    findings = json.loads(capsys.readouterr().out)
    checks = {finding["check"] for finding in findings}
    wanted = {"ports", "clock", "configuration", "site", "fleet key", "disk", "fsync", "broker"}
    assert wanted <= checks
    assert all(finding["do"] for finding in findings if finding["state"] != "ok")


def test_doctor_missing_configuration_names_the_command_that_makes_one(tmp_path, capsys) -> None:
    assert cli.main(["doctor", "--config", str(tmp_path / "gateway.toml")]) == 1
    assert "groundwatch init" in capsys.readouterr().out


def test_doctor_fleet_key_that_others_read_is_a_problem(site) -> None:
    (site.parent / "fleet.key").chmod(0o644)
    assert states(site)["fleet key"] == "problem"


def test_doctor_altered_enrolment_journal_is_a_problem(site) -> None:
    (site.parent / "data").mkdir()
    (site.parent / "data" / "enrolment.jsonl").write_text('{"mac":"00"}\n')
    assert states(site)["enrolment"] == "problem"


def test_doctor_mosquitto_is_started_and_its_rules_tried(site) -> None:
    site.write_text(site.read_text() + '[broker]\nkind = "mosquitto"\nport = 0\n')
    assert states(site)["broker"] == "ok"


def test_doctor_port_without_permission_names_the_group(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    finding = doctor.serial_ports([Port("/dev/ttyACM9", "Raspberry Pi")])[0]
    assert finding.state == "problem"
    assert "dialout" in finding.do


def test_doctor_clock_that_was_never_set_is_a_problem() -> None:
    assert doctor.clock(12.0).state == "problem"


@pytest.mark.parametrize(
    ("synchronised", "max_error_ms", "state"),
    [(True, 24.5, "ok"), (True, 9000.0, "warning"), (False, None, "warning")],
)
def test_doctor_clock_by_its_quality_is_ok_or_a_warning(synchronised, max_error_ms, state) -> None:
    finding = doctor.clock(1.9e9, ClockQuality(synchronised, max_error_ms, "kernel"))
    assert finding.state == state


def test_doctor_site_without_an_origin_names_the_missing_keys(site) -> None:
    [finding] = [one for one in doctor.examine(site) if one.check == "origin"]
    assert finding.state == "ok"
    assert "latitude" in finding.do


def test_doctor_site_with_an_origin_shows_place_and_error(site) -> None:
    path = site.parent / "site.toml"
    place = "[site]\nlatitude = 48.2\nlongitude = 11.6\nheight_m = 520\nerror_m = 2.5"
    path.write_text(path.read_text().replace("[site]", place))
    [finding] = [one for one in doctor.examine(site) if one.check == "origin"]
    assert finding.found == "48.200000, 11.600000, 520 m; error 2.5 m"


def test_doctor_full_disk_is_a_problem(site, monkeypatch) -> None:
    usage = type("Usage", (), {"free": 1000})()
    monkeypatch.setattr("tools.doctor.shutil.disk_usage", lambda _path: usage)
    assert states(site)["disk"] == "problem"
