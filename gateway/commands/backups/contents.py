# SPDX-License-Identifier: MIT
"""Backups: which files belong to a gateway, and a copy of its store while it runs."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gateway.audit import keys
from gateway.commands.backups.archive import Entry
from gateway.config import GatewayConfig, load_config
from gateway.config.reading import parse_toml, read_file
from gateway.config.site import load_site
from gateway.enrolment import ENROLMENT
from gateway.errors import ConfigError, StoreError
from gateway.keysafe import Rest, open_root, rest_of
from gateway.store.sqlite import APPLICATION_ID, if_full

# Names in the archive: below the folder of gateway.toml, or a path outside of it.
INSIDE, OUTSIDE = "site/", "outside/"
CONFIG = "gateway.toml"
_PUBLIC_KEYS = ("ca_file", "cert_file")  # of gateway.toml; every other *_file holds a secret
_OF_PROCESS = (".lock", ".sock", "-wal", "-shm")  # suffixes of files that a running gateway makes
_OLD_STORES = ("damaged-", "replaced-")


def store_of(config: GatewayConfig) -> Path:
    """The SQLite file. Raises ConfigError for PostgreSQL, and when there is no store yet."""
    if not isinstance(config.store, Path):
        raise ConfigError(
            "the store is a PostgreSQL database: back it up with pg_dump, and the files of the "
            "configuration with your usual means"
        )
    if not config.store.is_file():
        raise ConfigError(f"there is no store {config.store} yet: start the gateway first")
    return config.store


def copy_store(source: Path, target: Path) -> None:
    """One consistent moment of a store that may be in use. Raises StoreError."""
    try:
        old = sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)
        new = sqlite3.connect(target, isolation_level=None)
        try:
            old.backup(new)  # one step: the copy is of one transaction
            if new.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
                raise StoreError(f"{source} is not a Groundwatch store")
            new.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
        finally:
            new.close()
            old.close()
    except sqlite3.Error as error:
        raise StoreError(f"store {source}: {error}{if_full(source)}") from error


def files_of(path: Path, with_keys: bool) -> dict[Path, bytes | None]:
    """Every file besides the store: its content where it is not the one of the file.

    Raises ConfigError.
    """
    config = load_config(path)
    load_site(config.site)
    named = [config.site, config.console.operators, config.api.tokens]
    raw = parse_toml(read_file(path), path)
    if release := raw["gateway"].get("release_key"):
        named.append(path.parent / release)
    for key, name in named_files(raw):
        if with_keys or key in _PUBLIC_KEYS:
            named.append(path.parent / name)
    found: dict[Path, bytes | None] = {one: None for one in named if one.exists()}
    found |= {
        one: None for one in _of_data_dir(config) if with_keys or one.name != keys.PRIVATE_NAME
    }
    if with_keys:
        # An entry of this machine's keyring is of no use elsewhere: the key itself is backed up.
        is_elsewhere = rest_of(config.fleet_key) is Rest.KEYRING
        root = open_root(config.fleet_key).hex() + "\n" if is_elsewhere else None
        found[config.fleet_key] = None if root is None else root.encode()
    return found


def entries_of(path: Path, store_copy: Path, with_keys: bool, scratch: Path) -> list[Entry]:
    """The whole archive, gateway.toml first. Raises ConfigError, OSError."""
    folder = path.parent.resolve()
    config = load_config(path)
    entries = [Entry(f"{INSIDE}{CONFIG}", path, _mode(path))]
    entries.append(Entry(_name(config.data_dir / "groundwatch.db", folder), store_copy))
    for number, (file, content) in enumerate(files_of(path, with_keys).items()):
        source = file
        if content is not None or file.name == ENROLMENT:
            # Not the file itself: it may grow while it is read.
            source = scratch / str(number)
            source.write_bytes(file.read_bytes() if content is None else content)
        entries.append(Entry(_name(file, folder), source, _mode(file)))
    return entries


def _of_data_dir(config: GatewayConfig) -> Iterator[Path]:
    """Regular files of the data folder; not those of the broker, which the gateway writes."""
    for one in sorted(config.data_dir.iterdir()):
        if not stat.S_ISREG(one.lstat().st_mode) or one.name.startswith("."):
            continue
        if one == config.store or one.name.endswith(_OF_PROCESS):
            continue
        if not one.name.startswith(_OLD_STORES):
            yield one


def named_files(value: Any) -> Iterator[tuple[str, str]]:
    """(key, file) of every `*_file` in tables and lists of tables."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, str) and key.endswith("_file"):
                yield key, inner
            else:
                yield from named_files(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from named_files(inner)


def _name(file: Path, folder: Path) -> str:
    whole = file.parent.resolve() / file.name
    if whole.is_relative_to(folder):
        return f"{INSIDE}{whole.relative_to(folder).as_posix()}"
    return f"{OUTSIDE}{whole.as_posix().lstrip('/')}"


def _mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)
