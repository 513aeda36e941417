# SPDX-License-Identifier: MIT
"""Backups: put one in place. It is extracted and checked in a folder beside, then moved file by
file. gateway.toml is removed first and comes last, so no gateway starts on a part of it.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sqlite3
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from gateway.audit import head, keys
from gateway.audit.offline import Entry, record
from gateway.commands.backups import archive, placing
from gateway.commands.backups.contents import CONFIG, INSIDE, OUTSIDE, named_files
from gateway.config.reading import parse_toml
from gateway.config.site import read_site
from gateway.enrolment import ENROLMENT
from gateway.errors import ConfigError, StoreError
from gateway.intake.downlink import skipped_counters
from gateway.intake.downlinks import FLOOR
from gateway.model.actions.record import STORE_RESTORED
from gateway.store.sqlite import SqliteStore

EARLIER_PUBLIC = "audit-earlier.pub"
_OF_SQLITE = (".lock", "-wal", "-shm")


@dataclass(frozen=True)
class Options:
    """`config`: where gateway.toml goes. `outside`: files outside of its folder are written too."""

    config: Path
    replace: bool
    outside: bool
    by: str


@dataclass(frozen=True)
class Restored:
    """`files` were written. `kept` is the earlier store, "" for none. `missing` are files that
    gateway.toml names and that are not there."""

    files: tuple[str, ...]
    kept: str
    missing: tuple[str, ...]


def restore(path: Path, header: archive.Header, passphrase: str, options: Options) -> Restored:
    """`header` is of archive.check. Raises GroundwatchError; then nothing was changed."""
    folder = options.config.parent
    is_new = not folder.exists()
    if not options.replace and not is_new and any(folder.iterdir()):
        raise ConfigError(f"{folder.resolve()} is not empty: --replace overwrites what is there")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".restore-") as name:
            stage = _Stage(Path(name), options)
            stage.extract(path, passphrase)
            stage.prepare(header)
            plan = stage.plan()
            kept = placing.place(plan, stage.store, stage.config, Path(name) / "replaced")
    except OSError as error:
        _remove_empty(folder, is_new)
        raise ConfigError(f"cannot restore to {folder}: {error.strerror or error}") from None
    except BaseException:
        _remove_empty(folder, is_new)
        raise
    files = tuple(sorted(str(target) for target in plan))
    return Restored(files, kept, tuple(stage.missing()))


def _remove_empty(folder: Path, is_new: bool) -> None:
    if is_new and folder.exists() and not any(folder.iterdir()):
        folder.rmdir()


class _Stage:
    """The extracted files, below INSIDE and OUTSIDE of a folder beside their targets."""

    def __init__(self, root: Path, options: Options) -> None:
        self._root = root
        self._options = options
        self._folder = options.config.parent.resolve()
        self.config = self._folder / options.config.name
        self.store = Path()  # its target
        self._tables: Mapping[str, Mapping[str, str]] = {}

    def extract(self, path: Path, passphrase: str) -> None:
        """Raises ConfigError, OSError."""
        names = archive.extract(path, passphrase, self._accept)
        if len(names) < 2 or names[0] != f"{INSIDE}{CONFIG}":
            raise ConfigError(f"{path} holds no gateway.toml")
        self.store = self._target(names[1])

    def prepare(self, header: archive.Header) -> None:
        """Check what was extracted, and write the audit entry. Raises ConfigError, StoreError."""
        toml = self._root / INSIDE / CONFIG
        self._tables = parse_toml(toml.read_bytes(), self.config)
        site = self._at(self._folder / self._tables["gateway"].get("site", "site.toml"))
        if site is not None:
            read_site(site.read_bytes(), site)
        store = self._at(self.store)
        assert store is not None
        _check(store)
        data = store.parent
        self._keep_enrolment(data)
        present = self.store.parent / keys.PRIVATE_NAME
        if not (data / keys.PRIVATE_NAME).exists():
            if present.exists():
                shutil.copy2(present, data / keys.PRIVATE_NAME)
            elif (data / keys.PUBLIC_NAME).exists():
                (data / keys.PUBLIC_NAME).rename(data / EARLIER_PUBLIC)
        _skip_counters(store)
        by = self._options.by
        detail = {"backup_of": header.made_at}
        # The store in the backup is one moment; the files beside it were copied later.
        (data / head.NAME).unlink(missing_ok=True)
        entry = Entry(by, STORE_RESTORED, store.name, detail=detail)
        record(SqliteStore(store), data, [entry], replaced=self.store.parent)

    def plan(self) -> dict[Path, Path]:
        """Target -> extracted file."""
        files = [one for one in self._root.rglob("*") if one.is_file()]
        return {
            self._target(one.relative_to(self._root).as_posix()): one
            for one in files
            if not one.name.endswith(_OF_SQLITE)
        }

    def missing(self) -> list[str]:
        """Files that gateway.toml names and that are not there."""
        table = self._tables["gateway"]
        named = [table.get("site", "site.toml"), table.get("fleet_key", "fleet.key")]
        named += [table["release_key"]] if "release_key" in table else []
        named += [name for _key, name in named_files(self._tables)]
        return [name for name in named if not (self._folder / name).exists()]

    def _keep_enrolment(self, data: Path) -> None:
        """A longer log at the target goes on: its later revocations stay in force."""
        present, restored = self.store.parent / ENROLMENT, data / ENROLMENT
        if present.exists():
            known = restored.read_bytes() if restored.exists() else b""
            if present.read_bytes().startswith(known):
                shutil.copy2(present, restored)

    def _accept(self, name: str) -> Path | None:
        parts = PurePosixPath(name).parts
        if ".." in parts or PurePosixPath(name).is_absolute() or len(parts) < 2:
            return None
        if name.startswith(OUTSIDE) and not self._options.outside:
            raise ConfigError(
                f"the backup has {self._target(name)}, outside of {self._folder}: --outside "
                "restores such files too"
            )
        return self._root / name if name.startswith((INSIDE, OUTSIDE)) else None

    def _target(self, name: str) -> Path:
        if name == f"{INSIDE}{CONFIG}":
            return self.config
        if name.startswith(INSIDE):
            return self._folder / name.removeprefix(INSIDE)
        return Path("/") / name.removeprefix(OUTSIDE)

    def _at(self, target: Path) -> Path | None:
        """The extracted file of a target."""
        whole = Path(os.path.normpath(target))
        for one in self._root.rglob("*"):
            if one.is_file() and self._target(one.relative_to(self._root).as_posix()) == whole:
                return one
        return None


def _check(store: Path) -> None:
    """Raises StoreError."""
    try:
        db = sqlite3.connect(f"{store.resolve().as_uri()}?mode=ro", uri=True)
        try:
            found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
        finally:
            db.close()
    except sqlite3.Error as error:
        found = str(error)
    if found != "ok":
        raise StoreError(f"the store in the backup is damaged: {found}")


def _skip_counters(path: Path) -> None:
    """Raises StoreError, also for a store of a newer version."""
    store = SqliteStore(path)
    store.open()  # brings its schema up to date
    store.close()
    skip = skipped_counters(secrets.randbelow)
    db = sqlite3.connect(path)
    try:
        with db:
            # Nodes without a row too: one that was added after the backup has used counters.
            db.execute("INSERT OR IGNORE INTO state VALUES (?, '0')", (FLOOR,))
            db.execute("UPDATE node SET down_reserved = down_reserved + ?", (skip,))
            db.execute(
                "UPDATE state SET value = CAST(CAST(value AS INTEGER) + ? AS TEXT) "
                "WHERE (name LIKE 'down:%' OR name = ?) AND value != ''",
                (skip, FLOOR),
            )
    except sqlite3.Error as error:
        raise StoreError(f"the store in the backup: {error}") from error
    finally:
        db.close()
