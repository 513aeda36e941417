# SPDX-License-Identifier: MIT
"""`groundwatch release`: the offline side of updates: make a release key, sign a firmware."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gateway import wrapped
from gateway.config.fields import load_public_key
from gateway.files import read_private
from gateway.updates import package
from tools.compiled import add_architecture, architecture_of, mpy_for, version_of
from tools.errors import UserError
from tools.image import FIRMWARE, boards, make_image

_WHAT = "release key"
_PASSPHRASE_MOST = 4096
_EXAMPLE = """\
example, on a machine that is not the gateway:
  groundwatch release key --out release.key
  groundwatch release sign --board pico_w --version 0.2.0 --out pico_w-0.2.0.gwr
  groundwatch release show pico_w-0.2.0.gwr
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the acts and their options."""
    parser.epilog = _EXAMPLE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    acts = parser.add_subparsers(title="acts", dest="act", metavar="ACT", required=True)
    key = acts.add_parser("key", help="make a release key: FILE wrapped by a passphrase, FILE.pub")
    key.add_argument("--out", type=Path, default=Path("release.key"), help="the file to write")
    sign = acts.add_parser(
        "sign", help="compile the firmware for one kind of board into one signed file"
    )
    sign.add_argument("--board", required=True, choices=boards(), help="the board it is for")
    sign.add_argument("--version", required=True, help="as in 0.2.0; newer than any before")
    sign.add_argument("--key", type=Path, default=Path("release.key"), help="the release key")
    add_architecture(sign)
    sign.add_argument("--firmware", type=Path, default=FIRMWARE, help="another firmware folder")
    sign.add_argument("--out", type=Path, required=True, help="the release file to write")
    show = acts.add_parser("show", help="check a release file and say what is in it")
    show.add_argument("file", type=Path)
    show.add_argument("--key", type=Path, default=Path("release.pub"), help="the public key")
    for act in (key, sign):
        act.add_argument(
            "--passphrase-file",
            type=Path,
            help="read the passphrase from here; - is standard input",
        )


def run(args: argparse.Namespace) -> int:
    """Do one act; 0 when done."""
    {"key": _make_key, "sign": _sign, "show": _show}[args.act](args)
    return 0


def public_path(key: Path) -> Path:
    """Where the public half of a key lies."""
    return key.with_suffix(".pub")


def _make_key(args: argparse.Namespace) -> None:
    public = public_path(args.out)
    if public.exists():
        raise UserError(f"{public} exists already and is not overwritten")
    secret = Ed25519PrivateKey.generate()
    wrapped.create(args.out, _WHAT, secret.private_bytes_raw(), passphrase(args, is_new=True))
    try:
        public.write_text(secret.public_key().public_bytes_raw().hex() + "\n")
    except OSError as error:
        raise UserError(f"cannot write {public}: {error.strerror}") from None
    print(f"wrote {args.out} (keep it off the gateway and off the net) and {public} (for node.toml")
    print("and gateway.toml)")


def _sign(args: argparse.Namespace) -> None:
    try:
        package.version_number(args.version)
    except ValueError as error:
        raise UserError(str(error)) from None
    raw = wrapped.open_secret(args.key, _WHAT, passphrase(args, is_new=False))
    mpy = mpy_for(args.board, args.architecture)
    key = Ed25519PrivateKey.from_private_bytes(raw)
    data = make_release(args.board, args.version, key, args.firmware, mpy)
    if args.out.exists():
        raise UserError(f"{args.out} exists already and is not overwritten")
    try:
        args.out.write_bytes(data)
    except OSError as error:
        raise UserError(f"cannot write {args.out}: {error.strerror}") from None
    architecture = architecture_of(mpy)
    print(
        f"wrote {args.out}: version {args.version} for {args.board} ({architecture}), "
        f"{len(data)} bytes"
    )


def make_release(
    board: str, version: str, key: Ed25519PrivateKey, firmware: Path = FIRMWARE, mpy: int = 0
) -> bytes:
    """A release file of the firmware in a folder, which says it is `version`.

    `mpy` is the MicroPython it is for (tools.compiled); 0 is the board's own. The same sources give
    the same bytes. Raises UserError, ConfigError.
    """
    image = make_image(board, mpy or mpy_for(board), version, firmware)
    return package.build(board, version, image.mpy, image.files, key)


def _show(args: argparse.Namespace) -> None:
    key = Ed25519PublicKey.from_public_bytes(load_public_key(args.key))
    release = package.load(args.file, key)
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


def passphrase(args: argparse.Namespace, is_new: bool) -> str:
    """From --passphrase-file, or asked for on the terminal; never an argument.

    Raises UserError, ConfigError.
    """
    source = args.passphrase_file
    if source is None:
        if not sys.stdin.isatty():
            raise UserError("no terminal to ask for the passphrase: give --passphrase-file")
        given = getpass.getpass("passphrase: ")
        if is_new and getpass.getpass("again: ") != given:
            raise UserError("the two passphrases differ")
        return given
    if str(source) == "-":
        return sys.stdin.readline().rstrip("\n")
    try:
        return read_private(source, _PASSPHRASE_MOST).decode().rstrip("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read {source}: {error}") from None
