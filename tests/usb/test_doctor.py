# SPDX-License-Identifier: MIT
"""`groundwatch doctor`: faults are found and reported with their remedy."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.broker.mosquitto import _WANTED_VERSION, program_path
from gateway.service.clock_quality import ClockQuality
from gateway.store.interface import LogRow, Writes
from gateway.store.sqlite import SqliteStore
from tests.usb.boards import write_site
from tools import cli, doctor
from tools.flash.ports import Port


@pytest.fixture
def site(tmp_path):
    path = write_site(tmp_path)
    path.write_text(path.read_text() + '[broker]\nhost = "0.0.0.0"\n')
    return path


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
    site.write_text(site.read_text() + 'kind = "mosquitto"\nport = 0\n')
    [finding] = [one for one in doctor.examine(site) if one.check == "broker"]
    assert finding.found.startswith("mosquitto: it enforces passwords and topics")
    out = subprocess.run([program_path(), "-h"], capture_output=True, text=True, check=False).stdout
    version = tuple(map(int, re.search(r"version (\d+)\.(\d+)\.(\d+)", out).groups()))
    assert finding.state == ("warning" if version < _WANTED_VERSION else "ok")
    assert ("known faults" in finding.found) == (version < _WANTED_VERSION)


def store_of(site) -> Path:
    """A store of some pages."""
    path = site.parent / "data" / "groundwatch.db"
    store, writes = SqliteStore(path), Writes()
    store.open()
    writes.log += [LogRow(number, number, "x", "y", "z" * 300) for number in range(1, 500)]
    store.commit(writes)
    store.tidy()
    store.close()
    return path


@pytest.mark.parametrize(
    ("change", "state", "expected"),
    [
        (lambda data: data, "ok", "every page was read"),
        (lambda data: data[: len(data) // 2], "problem", "is damaged"),
        (lambda data: data[:-1], "problem", "is damaged"),
        (lambda data: data[:30], "problem", "is damaged"),
        (lambda data: bytes(len(data)), "problem", "is damaged"),
        (lambda data: data[:-40_960] + bytes(40_960), "problem", "is damaged"),
        (lambda data: data + bytes(50_000), "warning", "50000 bytes behind its last page"),
    ],
    ids=["whole", "cut in half", "one byte short", "30 bytes", "zeros", "zero tail", "grown"],
)
def test_doctor_store_that_is_not_whole_is_seen(site, change, state, expected) -> None:
    path = store_of(site)
    path.write_bytes(change(path.read_bytes()))
    [finding] = [one for one in doctor.examine(site) if one.check == "store"]
    assert (finding.state, expected in finding.found) == (state, True), finding
    assert "salvage" in finding.do or state != "problem"


def test_doctor_store_that_is_gone_beside_its_head_is_a_problem(site) -> None:
    store_of(site).unlink()
    assert states(site)["store"] == "ok"
    (site.parent / "data" / "audit.head").write_text("{}")
    assert states(site)["store"] == "problem"


_MOUNTS = {
    "full": 'mount -t tmpfs -o size=64k tmpfs "$1"; cat /dev/zero > "$1/fill" 2> /dev/null',
    "read-only": 'mount -t tmpfs -o ro tmpfs "$1"',
}


@pytest.mark.parametrize("name", _MOUNTS)
def test_doctor_folder_that_cannot_be_written_is_a_problem_and_no_traceback(name, site) -> None:
    data = site.parent / "data"
    data.mkdir()
    doctor_there = f"{_MOUNTS[name]}; exec {sys.executable} -m tools.cli doctor --json --config $2"
    ran = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", doctor_there, "sh", data, site],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    if "unshare failed" in ran.stderr:
        pytest.skip(f"this machine does not permit mounts: {ran.stderr.strip()}")
    assert (ran.returncode, "Traceback" in ran.stderr) == (1, False), ran.stderr
    found = {one["check"]: one for one in json.loads(ran.stdout)}
    assert (found["fsync"]["state"], found["fsync"]["do"] != "") == ("problem", True)
    assert "cannot be written" in found["fsync"]["found"]


def test_doctor_broker_that_nodes_on_wifi_cannot_reach_is_a_problem(site) -> None:
    assert states(site)["reach"] == "ok"
    site.write_text(site.read_text().replace("0.0.0.0", "127.0.0.1"))
    [finding] = [one for one in doctor.examine(site) if one.check == "reach"]
    assert (finding.state, "init --address 192.168.4.1" in finding.do) == ("problem", True)


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
    monkeypatch.setattr("tools.doctor_store.shutil.disk_usage", lambda _path: usage)
    assert states(site)["disk"] == "problem"
