# SPDX-License-Identifier: MIT
"""A gateway's folder to back up, another one to restore to, and a passphrase."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gateway.audit.keys import load_or_create
from gateway.store.sqlite import SqliteStore
from tests.backup.verbs import PASSPHRASE
from tests.gateway.played_node import write_config
from tests.ports import free_port


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A gateway's folder with a store in it; the gateway does not run."""
    folder = tmp_path / "site"
    folder.mkdir()
    write_config(folder, f'kind = "embedded"\nport = {free_port()}')
    (folder / "data").mkdir()
    load_or_create(folder / "data")
    store = SqliteStore(folder / "data" / "groundwatch.db")
    store.open()
    store.close()
    return folder


@pytest.fixture
def target(site: Path, tmp_path: Path) -> Path:
    """Another gateway's folder, with an earlier site.toml."""
    other = Path(shutil.copytree(site, tmp_path / "other"))
    text = (other / "site.toml").read_text()
    (other / "site.toml").write_text(f"# earlier\n{text}")
    return other


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file with the passphrase."""
    path = tmp_path / "passphrase"
    path.write_text(PASSPHRASE + "\n")
    path.chmod(0o600)
    return path
