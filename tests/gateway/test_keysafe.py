# SPDX-License-Identifier: MIT
"""The fleet root at rest: under a passphrase, in a keyring, plain; and damaged in every way."""

from __future__ import annotations

import json
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring

from gateway.errors import ConfigError
from gateway.keysafe import Rest, ask_passphrase, open_root, rest_of, write_root
from tests.gateway.played_node import ROOT

WORDS = "correct horse battery"


class DeskKeyring(KeyringBackend):
    """A keyring in memory, by the library's own way to add one."""

    priority = 1

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "fleet.key"


@pytest.fixture
def use_keyring():
    before = keyring.get_keyring()
    yield keyring.set_keyring
    keyring.set_keyring(before)


def test_root_under_a_passphrase_comes_back_and_is_nowhere_to_be_read(path) -> None:
    write_root(path, ROOT, Rest.PASSPHRASE, lambda _prompt: WORDS)
    assert rest_of(path) is Rest.PASSPHRASE
    assert open_root(path, lambda _prompt: WORDS) == ROOT
    assert ROOT.hex() not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600


def test_root_wrong_passphrase_or_altered_file_is_refused(path) -> None:
    write_root(path, ROOT, Rest.PASSPHRASE, lambda _prompt: WORDS)
    with pytest.raises(ConfigError, match="does not open"):
        open_root(path, lambda _prompt: WORDS + "!")
    fields = json.loads(path.read_text())
    fields["wrapped"] = fields["wrapped"][:-1] + ("0" if fields["wrapped"][-1] != "0" else "1")
    path.write_text(json.dumps(fields))
    with pytest.raises(ConfigError, match="does not open"):
        open_root(path, lambda _prompt: WORDS)


def test_root_short_passphrase_is_refused_and_leaves_the_file(path) -> None:
    write_root(path, ROOT, Rest.PLAIN)
    with pytest.raises(ConfigError, match="12 characters"):
        write_root(path, ROOT, Rest.PASSPHRASE, lambda _prompt: "short")
    assert open_root(path) == ROOT


@pytest.mark.parametrize("text", ["{", "{}", '{"format": "another 1"}', "[" * 3000, "{" * 3000])
def test_root_file_of_another_kind_is_refused_in_one_line(path, text) -> None:
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(ConfigError) as refused:
        open_root(path, lambda _prompt: WORDS)
    assert "\n" not in str(refused.value)


def test_root_in_the_keyring_comes_back_and_the_file_only_names_it(path, use_keyring) -> None:
    use_keyring(DeskKeyring())
    write_root(path, ROOT, Rest.KEYRING)
    assert open_root(path) == ROOT
    assert ROOT.hex() not in path.read_text()
    use_keyring(DeskKeyring())
    with pytest.raises(ConfigError, match="holds no fleet root"):
        open_root(path)


def test_root_where_there_is_no_keyring_is_refused_in_one_line(path, use_keyring) -> None:
    write_root(path, ROOT, Rest.PLAIN)
    use_keyring(NoKeyring())
    with pytest.raises(ConfigError, match="cannot be used") as refused:
        write_root(path, ROOT, Rest.KEYRING)
    assert "\n" not in str(refused.value)
    assert open_root(path) == ROOT


def test_passphrase_file_is_accepted_when_only_its_owner_can_read_it(tmp_path, monkeypatch) -> None:
    named = tmp_path / "passphrase"
    named.write_text(WORDS + "\n")
    named.chmod(0o600)
    monkeypatch.setenv("GROUNDWATCH_PASSPHRASE_FILE", str(named))
    assert ask_passphrase("?") == WORDS
    named.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        ask_passphrase("?")


def test_passphrase_without_terminal_or_file_is_refused_with_the_way_to_provide_it(
    monkeypatch,
) -> None:
    monkeypatch.delenv("GROUNDWATCH_PASSPHRASE_FILE", raising=False)
    monkeypatch.setattr("sys.stdin", open("/dev/null"))  # noqa: SIM115, PTH123  # pytest puts it back
    with pytest.raises(ConfigError, match="GROUNDWATCH_PASSPHRASE_FILE"):
        ask_passphrase("?")
