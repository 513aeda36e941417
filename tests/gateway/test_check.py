# SPDX-License-Identifier: MIT
"""`groundwatch gateway check`: each file of a configuration, and what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.gateway.played_node import write_config
from tools.cli import main


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = write_config(tmp_path, "port = 0")
    key = tmp_path / "fleet.key"
    key.write_text("5a" * 32)
    key.chmod(0o600)
    return path


def checked(config: Path, status: int, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """File -> its problem."""
    assert main(["gateway", "check", "--config", str(config), "--json"]) == status
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all(line["ok"] is not bool(line["problem"]) for line in lines)
    return {Path(line["file"]).name: line["problem"] for line in lines}


def test_files_that_are_right_are_listed(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = {"gateway.toml", "site.toml", "fleet.key", "operators.toml", "tokens.toml"}
    assert checked(config, 0, capsys) == dict.fromkeys(names, "")
    assert main(["gateway", "check", "--config", str(config)]) == 0
    assert capsys.readouterr().out.count("ok  ") == len(names)
    assert not (config.parent / "data").exists()


@pytest.mark.parametrize(
    ("added", "file", "expected"),
    [
        ("[nonsense]\n", "gateway.toml", "nonsense"),
        (
            (
                '[[arming]]\nsectors = ["nowhere"]\ntime_zone = "UTC"\n'
                'armed = ["mon-fri 18:00-06:00"]\n'
            ),
            "gateway.toml",
            "'nowhere' is not a sector",
        ),
        (
            (
                '[[connector]]\nkind = "webhook"\nname = "hook"\nurl = "https://example.org/"\n'
                'ca_file = "ca.pem"\nsecret_file = "hook.key"\n'
            ),
            "gateway.toml",
            "ca.pem",
        ),
    ],
)
def test_table_that_is_wrong_is_named_with_its_file(
    added: str, file: str, expected: str, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (config.parent / "ca.pem").write_text("no certificate")
    (config.parent / "hook.key").write_text("shared with the receiver")
    (config.parent / "hook.key").chmod(0o600)
    config.write_text(config.read_text() + added)
    found = checked(config, 1, capsys)
    assert expected in found[file]
    assert main(["gateway", "check", "--config", str(config)]) == 1
    assert capsys.readouterr().out.count("PROBLEM") == 1


@pytest.mark.parametrize("name", ["site.toml", "fleet.key", "operators.toml", "tokens.toml"])
def test_named_file_that_is_damaged_is_the_only_problem(
    name: str, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = config.parent / name
    damaged.write_text("= damaged =")
    damaged.chmod(0o600)
    found = checked(config, 1, capsys)
    assert [file for file, problem in found.items() if problem] == [name]


SITE = """\
[site]
name = "yard"

[[sector]]
id = "gate"
polygon = [
  [0, 0], [60, 0],
  [60, 40], [0, 40],
]

[[node]]
id = "n01"
x_m = 10
y_m = 10
sector = "gate"

[[node]]
id = "n02"
x_m = 40
y_m = 10
sector = "gate"
"""
GATEWAY = """\
[gateway]
data_dir = "data"
[broker]
host = "0.0.0.0"
port = 0
[console]
port = 0

[[arming]]
sectors = ["gate"]
time_zone = "UTC"
armed = ["mon-fri 18:00-06:00"]
"""


@pytest.fixture
def folder(config: Path) -> Path:
    config.write_text(GATEWAY)
    (config.parent / "site.toml").write_text(SITE)
    return config.parent


def lines(folder: Path, status: int, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """All but what is right, for a person; the same as JSON has the same lines."""
    path = str(folder / "gateway.toml")
    assert main(["gateway", "check", "--config", path]) == status
    shown = capsys.readouterr().out.replace(f"{folder}/", "").splitlines()
    assert main(["gateway", "check", "--config", path, "--json"]) == status
    every = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(every) == len(shown)
    assert all(str(one["line"] or "") in words for one, words in zip(every, shown, strict=True))
    return [one for one in shown if not one.startswith("ok ")]


def test_every_table_that_is_wrong_has_its_line_and_what_is_allowed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "gateway.toml"
    path.write_text(
        GATEWAY.replace("0.0.0.0", "192.168.1.300")
        + '[retention]\nalarms_days = 9999\n[[connector]]\nkind = "webhook"\nname = "a b"\n'
        + '[[escalation]]\nafter_s = 60\nto = "eva"\n[[escalation]]\nafter_s = 1\nto = "ben"\n'
    )
    (folder / "site.toml").write_text(SITE.replace("[60, 40], [0, 40],", "") + "pir_range_m = -3\n")
    found = lines(folder, 1, capsys)
    assert [one.partition(": ")[0] for one in found] == [
        f"PROBLEM  {place}"
        for place in ("gateway.toml:4", "gateway.toml:14", "gateway.toml:17", "gateway.toml:22")
    ] + ["PROBLEM  site.toml:6", "PROBLEM  site.toml:22"]
    assert "broker.host must be a host name or an address, e.g. host = " in found[0]
    assert "retention.alarms_days must be a whole number 1 to 1827" in found[1]
    assert "connector[0].name must be 1 to 16 of a-z" in found[2]
    assert "escalation[1].after_s must be a whole number 10 to 86400" in found[3]
    assert "sector[0].polygon of sector gate has no area; name three corners" in found[4]
    assert "node[1].pir_range_m must be a number 0 to 100" in found[5]


@pytest.mark.parametrize(
    ("file", "change", "expected"),
    [
        (
            "site.toml",
            ('sector = "gate"\n\n', 'sector = "gat"\n\n'),
            "PROBLEM  site.toml:15",
        ),
        (
            "site.toml",
            ("x_m = 40", "x_m = 400"),
            "warning  site.toml:17: node[1]: n02 is 340 m",
        ),
        (
            "site.toml",
            ("x_m = 40", "x_m = 10"),
            "warning  site.toml:11: node[0]: n01 and n02",
        ),
        (
            "site.toml",
            ("[60, 40], [0, 40]", "[0, 40], [60, 40]"),
            "warning  site.toml:6: sector[0].polygon: sides of gate cross",
        ),
        (
            "gateway.toml",
            ('host = "0.0.0.0"', 'host = "127.0.0.1"'),
            "warning  gateway.toml:4: broker.host: n01 is a node of Wi-Fi",
        ),
        (
            "gateway.toml",
            ('host = "0.0.0.0"', 'host = "203.0.113.77"'),
            "warning  gateway.toml:4: broker.host: 203.0.113.77 is no address of this machine",
        ),
        (
            "gateway.toml",
            (
                "[[arming]]",
                (
                    '[[confirmation]]\nsectors = ["gate"]\ntime_zone = "UTC"\n'
                    'confirmed = ["mon-fri 08:00-16:00"]\n[[arming]]'
                ),
            ),
            "PROBLEM  gateway.toml:12: confirmation[0].confirmed: gate is never armed",
        ),
        (
            "gateway.toml",
            ('armed = ["mon-fri 18:00-06:00"]', 'armed = ["mon-sun 00:00-24:00"]'),
            "warning  gateway.toml:12: arming[0].armed: is the whole week",
        ),
        (
            "gateway.toml",
            ("[console]\nport = 0", "[console]\nport = 8480\n[api]\nport = 8480"),
            "PROBLEM  gateway.toml:9: api.port 8480 is that of [console], e.g. port = 8481",
        ),
        (
            "gateway.toml",
            ("[[arming]]", '[[serial]]\nport = "/dev/x"\n[[serial]]\nport = "/dev/x"\n[[arming]]'),
            "PROBLEM  gateway.toml:12: serial[1].port /dev/x is used twice",
        ),
        (
            "gateway.toml",
            ("[[arming]]", '[nodes]\nssid = "x"\nhost = "127.0.0.1"\n[[arming]]'),
            "warning  gateway.toml:11: nodes.host: no node reaches 127.0.0.1",
        ),
        (
            "gateway.toml",
            ("[[arming]]", '[nodes]\nssid = "x"\nhost = "0.0.0.0"\n[[arming]]'),
            "PROBLEM  gateway.toml:11: nodes.host must be a host name or an address",
        ),
        (
            "gateway.toml",
            ('data_dir = "data"', 'data_dir = "site.toml"'),
            "PROBLEM  gateway.toml:2",
        ),
        ("gateway.toml", ("[console]", "[console"), "PROBLEM  gateway.toml:6: not valid TOML"),
    ],
)
def test_value_that_is_valid_and_has_no_effect_is_found_with_its_line(
    file: str,
    change: tuple[str, str],
    expected: str,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert lines(folder, 0, capsys) == []
    path = folder / file
    assert change[0] in path.read_text()
    path.write_text(path.read_text().replace(*change, 1))
    found = lines(folder, int("PROBLEM" in expected), capsys)
    assert any(one.startswith(expected) for one in found), found


def test_two_connectors_to_one_place_and_a_file_with_a_wrong_name_are_warned_of(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = '[[connector]]\nkind = "ntfy"\nname = "{}"\nurl = "https://a.example"\ntopic = "x"\n'
    with (folder / "gateway.toml").open("a") as file:
        file.write(table.format("one") + table.format("two"))
    (folder / "operator.toml").write_text("")
    found = lines(folder, 0, capsys)
    assert found == [
        "warning  gateway.toml:18: connector[1]: two and one go to the same place",
        "warning  operators.toml: is not there; operator.toml is, which nothing reads",
    ]


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b"\xff\xfe"])
def test_file_with_a_byte_order_mark_is_read_or_named(
    mark: bytes, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("gateway.toml", "site.toml"):
        path = folder / name
        path.write_bytes(mark + path.read_bytes())
    if mark == b"\xef\xbb\xbf":
        assert lines(folder, 0, capsys) == []
    else:
        assert "is UTF-16; save it as UTF-8" in lines(folder, 1, capsys)[0]
