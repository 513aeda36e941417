# SPDX-License-Identifier: MIT
"""`groundwatch release`: the offline side of updates: make a release key, sign a firmware."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gateway import wrapped
from gateway.commands.options import PATH, json_option
from gateway.config.fields import load_public_key
from gateway.files import read_private
from gateway.terminal import ask_secret
from gateway.updates import package
from tools import output
from tools.commands.options import architecture_option
from tools.compiled import architecture_of, mpy_for, version_of
from tools.errors import UserError
from tools.image import FIRMWARE, boards, make_image

KEY_KIND = "release key"
_MAX_PASSPHRASE = 4096


def public_path(key: Path) -> Path:
    """The path of the public half of a key."""
    return key.with_suffix(".pub")


_passphrase_option = click.option(
    "--passphrase-file",
    type=PATH,
    metavar="FILE",
    help="read the passphrase from here; - is standard input",
)


@click.command()
@click.option(
    "--out", type=PATH, default=Path("release.key"), help="the file to write; FILE.pub beside it"
)
@_passphrase_option
@json_option("print the names of both files as one JSON object")
def make_key(out: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """A key wrapped by a passphrase, and its public half."""
    public = public_path(out)
    if public.exists():
        raise UserError(f"{public} exists already and is not overwritten")
    secret = Ed25519PrivateKey.generate()
    wrapped.create(
        out, KEY_KIND, secret.private_bytes_raw(), passphrase(passphrase_file, is_new=True)
    )
    try:
        output.write(public, secret.public_key().public_bytes_raw().hex() + "\n")
    except UserError:
        out.unlink(missing_ok=True)  # half of a pair would stand in the way of the next attempt
        raise
    if as_json:
        print(json.dumps({"type": "key", "key": str(out), "public": str(public)}))
        return
    print(f"wrote {out} (keep it offline, away from the gateway) and {public} (for node.toml")
    print("and gateway.toml)")


@click.command()
@click.option("--board", required=True, type=click.Choice(boards()), help="its board")
@click.option("--version", required=True, help="as in 0.2.0; newer than all earlier ones")
@click.option("--key", type=PATH, default=Path("release.key"), help="the release key")
@architecture_option
@click.option("--firmware", type=PATH, default=FIRMWARE, help="another firmware folder")
@click.option("--out", type=PATH, required=True, help="the release file to write")
@_passphrase_option
@json_option("print what was written as one JSON object")
def sign(
    board: str,
    version: str,
    key: Path,
    architecture: str | None,
    firmware: Path,
    out: Path,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """A signed file of the compiled firmware; an existing file is not overwritten."""
    try:
        package.version_number(version)
    except ValueError as error:
        raise UserError(str(error)) from None
    if out.exists():
        raise UserError(f"{out} exists already and is not overwritten")
    output.check(out)
    raw = wrapped.open_secret(key, KEY_KIND, passphrase(passphrase_file, is_new=False))
    mpy = mpy_for(board, architecture)
    secret = Ed25519PrivateKey.from_private_bytes(raw)
    data = make_release(board, version, secret, firmware, mpy)
    output.write(out, data)
    built = architecture_of(mpy)
    if as_json:
        facts = {"board": board, "version": version, "architecture": built, "bytes": len(data)}
        print(json.dumps({"type": "release", "file": str(out), **facts}))
        return
    print(f"wrote {out}: version {version} for {board} ({built}), {len(data)} bytes")


def make_release(
    board: str, version: str, key: Ed25519PrivateKey, firmware: Path = FIRMWARE, mpy: int = 0
) -> bytes:
    """A release file of the firmware in a folder, with this version.

    `mpy` is the MicroPython it is for (tools.compiled); 0 is the board's own. The same sources give
    the same bytes. Raises UserError, ConfigError.
    """
    image = make_image(board, mpy or mpy_for(board), version, firmware)
    return package.build(board, version, image.mpy, image.files, key)


@click.command()
@click.argument("file", type=PATH)
@click.option("--key", type=PATH, default=Path("release.pub"), help="the public key")
def show(file: Path, key: Path) -> None:
    """Print its content as one JSON object."""
    public = Ed25519PublicKey.from_public_bytes(load_public_key(key))
    release = package.load(file, public)
    size = sum(map(len, release.contents))
    facts = {
        "board": release.board,
        "version": release.version,
        "architecture": architecture_of(release.mpy),
        "mpy": version_of(release.mpy),
        "files": len(release.contents),
        "bytes": size,
        "manifest_sha256": release.digest.hex(),
    }
    print(json.dumps(facts))


def passphrase(source: Path | None, is_new: bool) -> str:
    """From --passphrase-file, or typed at the terminal; never an argument.

    Raises UserError, ConfigError.
    """
    if source is None:
        if not sys.stdin.isatty():
            raise UserError("no terminal to ask for the passphrase: give --passphrase-file")
        given = ask_secret("passphrase: ")
        if is_new and ask_secret("again: ") != given:
            raise UserError("the two passphrases differ")
        return given
    if str(source) == "-":
        return sys.stdin.readline().rstrip("\n")
    try:
        return read_private(source, _MAX_PASSPHRASE).decode().rstrip("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read {source}: {error}") from None
