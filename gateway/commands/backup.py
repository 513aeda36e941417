# SPDX-License-Identifier: MIT
"""Commands: `groundwatch gateway backup` and `gateway restore`: a gateway in one file, and back."""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import click

from gateway.commands.backups import archive, contents
from gateway.commands.backups.restore import Options, Restored
from gateway.commands.backups.restore import restore as restore_backup
from gateway.commands.options import PATH, config_option, json_option
from gateway.config import load_config
from gateway.config.site import load_site
from gateway.errors import ConfigError
from gateway.files import read_private
from gateway.terminal import ask_secret, login_name

_MAX_NAME = 32
_MAX_SECRET = 4096

_passphrase_option = click.option(
    "--passphrase-file",
    type=PATH,
    metavar="FILE",
    help="mode 0600, its first line is the passphrase  [default: typed]",
)


@click.command()
@click.argument("file", type=PATH)
@click.option("--with-keys", is_flag=True, help="private keys and secrets too; encrypts the file")
@_passphrase_option
@config_option()
@json_option("print one JSON object")
def backup(
    file: Path, with_keys: bool, passphrase_file: Path | None, config: Path, as_json: bool
) -> None:
    """The gateway may run. Without --with-keys: store, gateway.toml, site.toml, operators, tokens,
    enrolment log and audit, no private key. Raises GroundwatchError."""
    loaded = load_config(config)
    store = contents.store_of(loaded)
    if file.exists():
        raise ConfigError(f"{file} exists; name another file")
    if passphrase_file is not None and not with_keys:
        raise ConfigError("--passphrase-file belongs to --with-keys")
    passphrase = _new_passphrase(passphrase_file) if with_keys else ""
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    header = archive.Header(load_site(loaded.site).name, made_at, _version())
    try:
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=".backup-") as name:
            scratch = Path(name)
            copy = scratch / "store"
            contents.copy_store(store, copy)
            entries = contents.entries_of(config, copy, with_keys, scratch)
            size = archive.write(file, header, entries, passphrase)
    except OSError as error:
        raise ConfigError(f"cannot write {file}: {error.strerror or error}") from None
    facts = {
        "type": "backup",
        "file": str(file),
        "bytes": size,
        "site": header.site,
        "made_at": made_at,
        "with_keys": with_keys,
        "files": [entry.name for entry in entries],
    }
    if as_json:
        print(json.dumps(facts))
        return
    print(f"{file}: {size} bytes, {len(entries)} files of the site {header.site}")
    if not with_keys:
        print("it holds no private key: keep a copy of the fleet key as well")


@click.command()
@click.argument("file", type=PATH)
@click.option("--replace", is_flag=True, help="overwrite files of a folder that is not empty")
@click.option("--outside", is_flag=True, help="also files outside of the folder of gateway.toml")
@click.option("--by", help="the person who does it; recorded  [default: who is logged in]")
@_passphrase_option
@config_option("where gateway.toml goes; other files go beside it")
@json_option("print one JSON object")
def restore(
    file: Path,
    replace: bool,
    outside: bool,
    by: str | None,
    passphrase_file: Path | None,
    config: Path,
    as_json: bool,
) -> None:
    """Checked before anything is changed; no gateway may run there. Raises GroundwatchError."""
    header = archive.check(file)
    by = (by or login_name()).strip()
    if not by or len(by) > _MAX_NAME or not by.isprintable():
        raise ConfigError(f"--by must be 1 to {_MAX_NAME} characters on one line")
    passphrase = _passphrase(passphrase_file, file) if header.key else ""
    done = restore_backup(file, header, passphrase, Options(config, replace, outside, by))
    if as_json:
        facts = {"site": header.site, "made_at": header.made_at, **asdict(done)}
        print(json.dumps({"type": "restore", **facts}))
        return
    for line in _report(header, done, config):
        print(line)


def _report(header: archive.Header, done: Restored, config: Path) -> list[str]:
    where = config.parent.resolve()
    files = f"{len(done.files)} files of the site {header.site}"
    lines = [f"{files}, backed up {header.made_at}, are in {where}"]
    if done.kept:
        lines.append(f"the earlier store is {done.kept}")
    lines += [f"missing, put it in place: {name}" for name in done.missing]
    lines.append(
        "what happened after the backup is not in it: add later nodes to site.toml and revoke "
        "stolen nodes again"
    )
    return lines


def _new_passphrase(path: Path | None) -> str:
    """From the file, else typed twice. Raises ConfigError."""
    if path is not None:
        return _of_file(path)
    _must_be_terminal()
    given = ask_secret("passphrase of the backup: ")
    if ask_secret("the same again: ") != given:
        raise ConfigError("the two passphrases differ; nothing was written")
    return given


def _passphrase(path: Path | None, backup_file: Path) -> str:
    if path is not None:
        return _of_file(path)
    _must_be_terminal()
    return ask_secret(f"passphrase of {backup_file}: ")


def _must_be_terminal() -> None:
    if not sys.stdin.isatty():
        raise ConfigError("run this in a terminal, or name a file of mode 0600: --passphrase-file")


def _of_file(path: Path) -> str:
    try:
        text = read_private(path, _MAX_SECRET).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the passphrase in {path}: {error}") from None
    return (text.splitlines() or [""])[0]


def _version() -> str:
    try:
        return metadata.version("groundwatch")
    except metadata.PackageNotFoundError:
        return "0+checkout"
