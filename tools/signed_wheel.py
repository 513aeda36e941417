# SPDX-License-Identifier: MIT
"""Release of a wheel: the checkout's wheel with node images of every board, signed.

    python -m tools.signed_wheel --key release.key --out dist

It copies the tracked files, compiles the firmware for each board into the copy, signs it
(tools/node_images.py) and builds the wheel of the copy. The checkout itself is not changed.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway import wrapped
from gateway.commands.options import PATH
from gateway.errors import GroundwatchError
from tools.boards import BOARDS
from tools.bundle import node_files
from tools.compiled import mpy_for
from tools.errors import UserError
from tools.image import make_image
from tools.node_images import signer_of, write_images
from tools.release import KEY_KIND, passphrase

ROOT = Path(__file__).resolve().parent.parent


def build(key: Ed25519PrivateKey, out: Path, root: Path = ROOT) -> Path:
    """The path of the wheel. Raises UserError."""
    with tempfile.TemporaryDirectory(prefix="groundwatch-wheel-") as folder:
        tree, made = Path(folder) / "tree", Path(folder) / "made"
        try:
            _copy(root, tree)
            sign(tree / "firmware", key)
            _wheel(tree, made)
            out.mkdir(parents=True, exist_ok=True)
            (wheel,) = made.glob("*.whl")
            return Path(shutil.copy(wheel, out / wheel.name))
        except OSError as error:
            raise UserError(f"cannot write {error.filename or out}: {error.strerror}") from None


def sign(firmware: Path, key: Ed25519PrivateKey) -> None:
    """Add the images of every supported board to a folder that is a copy of this firmware."""
    kinds = [(row.name, mpy_for(row.name)) for row in BOARDS if not row.unsupported]
    images = {(board, mpy): node_files(board, mpy) for board, mpy in kinds}
    version = make_image(*kinds[0]).version
    write_images(firmware, version, images, key)


def _copy(root: Path, tree: Path) -> None:
    for name in _run("git", "-C", str(root), "ls-files", "-z").split("\0"):
        source = root / name
        if name and source.is_file():
            target = tree / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)


def _wheel(tree: Path, out: Path) -> None:
    pip = (sys.executable, "-m", "pip", "wheel", "-q", "--disable-pip-version-check")
    _run(*pip, "--no-deps", "--no-build-isolation", "-w", str(out), str(tree))


def _run(*command: str) -> str:
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        lines = ran.stderr.strip().splitlines() or ["no reason is given"]
        raise UserError(f"{command[0]} failed: {lines[-1]}")
    return ran.stdout


@click.command()
@click.option("--key", type=PATH, default=Path("release.key"), help="the release key")
@click.option("--out", type=PATH, default=Path("dist"), help="the folder for the wheel")
@click.option(
    "--passphrase-file", type=PATH, metavar="FILE", help="its passphrase; - is standard input"
)
def main(key: Path, out: Path, passphrase_file: Path | None) -> None:
    """Build the wheel with signed node images."""
    try:
        raw = wrapped.open_secret(key, KEY_KIND, passphrase(passphrase_file, is_new=False))
        secret = Ed25519PrivateKey.from_private_bytes(raw)
        wheel = build(secret, out)
    except (UserError, GroundwatchError) as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    public = secret.public_key().public_bytes_raw()
    print(f"wrote {wheel}: node images signed by the release key {signer_of(public)}")


if __name__ == "__main__":
    main()
