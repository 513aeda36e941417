# SPDX-License-Identifier: MIT
"""Answers of `groundwatch init`, each checked on its own; hostile ones are one line."""

from __future__ import annotations

import random
import tomllib
from pathlib import Path

import pytest

from gateway.errors import ConfigError
from tools.errors import UserError
from tools.init import answers, machine
from tools.init.change import Edit, edited
from tools.init.files import connector_text, quoted


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (answers.site_name, ""),
        (answers.site_name, "North"),
        (answers.site_name, "x" * 17),
        (answers.site_name, "a\n"),
        (answers.place, "48.1"),
        (answers.place, "91,0"),
        (answers.place, "nan,0"),
        (answers.place, "1,2,3"),
        (answers.ssid, ""),
        (answers.ssid, "é" * 17),
        (answers.ssid, "a\nb"),
        (answers.ssid, "\ud800"),
        (answers.wifi_passphrase, "1234567"),
        (answers.wifi_passphrase, "x" * 64),
        (answers.wifi_passphrase, "passphräse"),
        (answers.wifi_passphrase, " leading space"),
        (answers.address, "127.0.0.1"),
        (answers.address, "localhost"),
        (answers.address, "0.0.0.0"),
        (answers.address, "fe80::1"),
        (answers.address, "a b"),
        (answers.address, "224.0.0.1"),
        (answers.time_zone, "Europe/Berln"),
        (answers.time_zone, "../../etc/passwd"),
        (answers.country, "Germany"),
        (answers.notify_kind, "sms"),
        (answers.ntfy, "https://ntfy.sh"),
        (answers.ntfy, "ftp://ntfy.sh/topic"),
        (answers.ntfy, "https://ntfy.sh/topic?x=1"),
        (answers.web_address, "not one"),
    ],
)
def test_answer_that_is_invalid_is_one_line(check, text) -> None:
    with pytest.raises(UserError) as error:
        check(text)
    assert "\n" not in str(error.value)


def test_answer_of_a_secret_is_not_shown_in_its_error() -> None:
    for check in (answers.wifi_passphrase, answers.web_address):
        with pytest.raises(UserError) as error:
            check("sécret")
        assert "cret" not in str(error.value)


def test_answers_that_are_valid_are_taken() -> None:
    assert answers.place("none") is None
    assert answers.place("-33.9, 18.4") == answers.Place(-33.9, 18.4)
    assert answers.ssid("é" * 16) == "é" * 16
    assert answers.address("gateway.local") == "gateway.local"
    assert answers.address("127.0.0.1", loopback_allowed=True) == "127.0.0.1"
    assert answers.country("de") == "DE"
    assert answers.ntfy("https://ntfy.sh/a").values == {"url": "https://ntfy.sh", "topic": "a"}
    assert answers.email("a@b.net", "c@d.net", "mail.net").secret_key == ""
    with pytest.raises(ConfigError):
        answers.operator("eva", "short")
    with pytest.raises(UserError):
        answers.email("a@b.net\nBcc: x@y.net", "c@d.net", "mail.net")


def test_quoted_text_is_toml_whatever_it_holds() -> None:
    rng = random.Random(4)
    signs = [chr(code) for code in range(0x20, 0x250) if chr(code).isprintable()] + ["日", "𝄞"]
    for _ in range(500):
        text = "".join(rng.choices(signs, k=rng.randrange(40)))
        assert tomllib.loads(f"key = {quoted(text)}") == {"key": text}


def test_connector_table_names_its_secret_by_a_file() -> None:
    made = connector_text(answers.webhook("https://example.net/hook", "shared"))
    (table,) = tomllib.loads(made)["connector"]
    assert table["secret_file"] == "keys/notify.secret"
    assert "shared" not in made


TEXT = """\
# Ours.
[gateway]
site = "site.toml"  # where nodes stand

# Of the nodes.
[nodes]
ssid = "a # b"  # as at the gate
# country = "DE"
host = "192.168.4.1"
[[connector]]
name = "duty"
"""


def test_edited_text_keeps_every_other_line_and_comment() -> None:
    made = edited(
        TEXT,
        (
            Edit("nodes", "ssid", '"c # d"'),
            Edit("nodes", "country", '"FR"'),
            Edit("gateway", "time_zone", '"UTC"'),
            Edit("console", "port", "8481"),
        ),
    )
    wanted = TEXT.replace('"a # b"', '"c # d"').replace('# country = "DE"', 'country = "FR"')
    wanted = wanted.replace("stand\n", 'stand\ntime_zone = "UTC"\n')
    assert made == wanted + "\n[console]\nport = 8481\n"


@pytest.mark.parametrize(
    "text",
    [
        '[nodes]\nssid = """\na\n"""\n',
        'nodes.ssid = "a"\n',
        '[nodes]\n"ssid" = "a"\n',
        'text = """\n[nodes]\nssid = "b"\n"""\n[nodes]\nssid = "a"\n',
    ],
)
def test_edited_text_of_an_unusual_form_is_refused_and_not_broken(text: str) -> None:
    with pytest.raises(UserError, match="by hand"):
        edited(text, (Edit("nodes", "ssid", '"c"'),))


def test_machine_names_no_loopback_address() -> None:
    assert not [text for text in machine.lan_addresses() if text.startswith("127.")]


def test_machine_time_zone_is_that_of_its_files(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.delenv("TZ", raising=False)
    (tmp_path / "timezone").write_text("Asia/Tokyo\n")
    assert machine.system_time_zone(tmp_path) == "Asia/Tokyo"
    (tmp_path / "localtime").symlink_to("/usr/share/zoneinfo/Europe/Paris")
    assert machine.system_time_zone(tmp_path) == "Europe/Paris"
    (tmp_path / "localtime").unlink()
    (tmp_path / "timezone").write_bytes(b"\xff nonsense")
    assert machine.system_time_zone(tmp_path) == "UTC"


def test_machine_country_is_that_of_a_zone_of_one_country() -> None:
    assert machine.country_of("Europe/Berlin") == "DE"
    assert machine.country_of("Etc/UTC") == ""
