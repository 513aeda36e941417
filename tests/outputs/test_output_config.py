# SPDX-License-Identifier: MIT
"""[[output]] and [home_assistant]: strict, secrets from files and environment only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.errors import ConfigError
from gateway.outputs.config import read_home_assistant, read_outputs
from gateway.toml_table import Table
from tests.outputs.told import read, secret

HOOK = {"kind": "webhook", "url": "https://example.net/hook", "secret_env": "GW_TEST_SECRET"}
MAIL = {
    "kind": "email",
    "host": "mail.example.net",
    "to": ["duty@example.net"],
    "from": "yard@example.net",
}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GW_TEST_SECRET", "from the environment")


def test_output_secret_comes_from_the_environment_and_is_not_shown(tmp_path: Path) -> None:
    config = read(tmp_path, **HOOK)
    assert config.secret == "from the environment"
    assert "environment" not in repr(config)
    assert "example.net/hook" not in repr(config)


def test_output_secret_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    name = secret(tmp_path, "x" * 20)
    (tmp_path / name).chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        read(tmp_path, kind="webhook", url="https://example.net/", secret_file=name)


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({**HOOK, "kind": "pigeon"}, "one of webhook, ntfy, email, mqtt"),
        ({**HOOK, "secret": "in the file"}, "not a known key"),
        ({"kind": "webhook", "url": "https://example.net/hook"}, "secret_file"),
        ({**HOOK, "secret_env": "GW_TEST_NOT_SET"}, "is not set"),
        ({**HOOK, "url": "file:///etc/passwd"}, "web address"),
        ({**HOOK, "url": "https://exa mple.net/"}, "web address"),
        ({**HOOK, "url": "https://example.net:99999/"}, "web address"),
        ({**HOOK, "priority": 0}, "1 to 3"),
        ({**HOOK, "per_minute": 0}, "1 to 600"),
        ({**HOOK, "repeat_s": -1}, "0 to 86400"),
        ({**HOOK, "name": "Duty Phone"}, "a-z 0-9"),
        ({**MAIL, "tls": "none"}, "this machine only"),
        ({**MAIL, "to": ["duty@example.net\nBcc: all@example.net"]}, "no address"),
        ({**MAIL, "to": []}, "list of 1 to"),
        ({"kind": "mqtt", "host": "h", "topic": "groundwatch/v1/yard/n01/up"}, "nodes speak"),
        ({"kind": "mqtt", "host": "h", "topic": "a/+/b"}, "without"),
        ({"kind": "mqtt", "host": "a" * 64 + ".example"}, "host name or an address"),
        ({"kind": "mqtt", "host": "a b"}, "host name or an address"),
        ({"kind": "mqtt", "host": "a\nb"}, "host name or an address"),
        ({"kind": "mqtt", "host": "h", "username": "u" * 70_000}, "1 to 256 characters"),
        ({**MAIL, "host": "mail..example.net"}, "host name or an address"),
    ],
)
def test_output_configuration_that_is_wrong_is_refused_in_one_line(
    values: dict[str, Any], word: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=word) as caught:
        read_and_finish(tmp_path, values)
    assert "\n" not in str(caught.value).replace("\\n", "")


def read_and_finish(folder: Path, values: dict[str, Any]) -> None:
    root = Table({"output": [{"name": "phone", **values}]}, "gateway.toml", "")
    read_outputs(root, folder)
    root.done()


def test_two_outputs_of_one_name_are_refused(tmp_path: Path) -> None:
    table = Table({"output": [{"name": "a", **HOOK}, {"name": "a", **HOOK}]}, "gateway.toml", "")
    with pytest.raises(ConfigError, match="used twice"):
        read_outputs(table, tmp_path)


def test_home_assistant_absent_is_none_and_wildcard_prefix_is_refused(tmp_path: Path) -> None:
    assert read_home_assistant(Table({}, "gateway.toml", ""), tmp_path) is None
    table = Table({"home_assistant": {"host": "h", "prefix": "#"}}, "gateway.toml", "")
    with pytest.raises(ConfigError, match="without"):
        read_home_assistant(table, tmp_path)
