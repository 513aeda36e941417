# SPDX-License-Identifier: MIT
"""Signed node images: what is signed is used, whatever was changed since is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.usb.boards import until, write_site
from tools import cli, node_images
from tools.bundle import node_files
from tools.compiled import mpy_for, mpy_of_interpreter
from tools.errors import UserError
from tools.flash import flashing
from tools.image import FIRMWARE
from tools.node_images import installed, signer_of, write_images

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
PICO_W = ("pico_w", mpy_for("pico_w"))


def copy_of_firmware(folder: Path) -> Path:
    return Path(shutil.copytree(FIRMWARE, folder, ignore=shutil.ignore_patterns("__pycache__")))


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A firmware folder with the signed image of one board."""
    firmware = copy_of_firmware(tmp_path_factory.mktemp("signed") / "firmware")
    write_images(firmware, "0.1.0", {PICO_W: node_files(*PICO_W)}, KEY)
    return firmware


@pytest.fixture
def firmware(signed: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed."""
    return Path(shutil.copytree(signed, tmp_path / "firmware"))


def public_key(folder: Path, key: Ed25519PrivateKey = KEY) -> Path:
    path = folder / "trusted.pub"
    path.write_text(key.public_key().public_bytes_raw().hex() + "\n")
    return path


def test_signed_images_are_the_files_that_the_sources_compile_to(signed, tmp_path) -> None:
    images = installed(public_key(tmp_path), signed)
    assert images is not None
    assert (images.version, images.signer) == ("0.1.0", signer_of(PUBLIC))
    assert images.of(*PICO_W) == node_files(*PICO_W)
    assert images.of("pico_w", mpy_for("pico_w", "x64")) is None
    assert images.of("esp32", mpy_for("esp32")) is None


def test_installation_without_images_has_none_and_satisfies_no_key(tmp_path) -> None:
    firmware = copy_of_firmware(tmp_path / "firmware")
    assert installed(firmware=firmware) is None
    with pytest.raises(UserError, match="no signed node images"):
        installed(public_key(tmp_path), firmware)


@pytest.mark.parametrize(
    "name",
    ["images/pico_w-armv6m/a.fw", "images/pico_w-armv6m/boot.py", "ugs/node.py", "ugs/model.bin"],
)
def test_one_changed_byte_of_an_image_or_a_source_is_refused(firmware: Path, name: str) -> None:
    data = bytearray((firmware / name).read_bytes())
    data[len(data) // 2] ^= 1
    (firmware / name).write_bytes(data)
    with pytest.raises(UserError, match="is not what was signed"):
        installed(firmware=firmware)


@pytest.mark.parametrize("name", ["ugs/more.py", "images/pico_w-armv6m/more.mpy"])
def test_file_without_a_signature_is_refused_beside_signed_ones(firmware: Path, name: str) -> None:
    (firmware / name).write_text("import machine\n")
    with pytest.raises(UserError, match="not in the signed manifest"):
        installed(firmware=firmware)


def test_file_that_is_gone_is_refused(firmware: Path) -> None:
    (firmware / "images/pico_w-armv6m/a.fw").unlink()
    with pytest.raises(UserError, match="cannot read"):
        installed(firmware=firmware)


@pytest.mark.parametrize("text", ["00" * 64, "", "zz", "5a" * 64])
def test_manifest_with_another_signature_is_refused(firmware: Path, text: str) -> None:
    (firmware / "images" / "manifest.sig").write_text(text)
    with pytest.raises(UserError, match="signature is not valid"):
        installed(firmware=firmware)


def test_manifest_of_another_signer_is_refused_where_the_key_is_named(
    firmware: Path, tmp_path: Path
) -> None:
    other = Ed25519PrivateKey.generate()
    trusted = public_key(tmp_path)
    shutil.rmtree(firmware / "images")
    write_images(firmware, "0.1.0", {PICO_W: node_files(*PICO_W)}, other)
    found = installed(firmware=firmware)
    assert found is not None and found.signer != signer_of(PUBLIC)
    with pytest.raises(UserError, match="signed by another key"):
        installed(trusted, firmware)


def test_signed_manifest_with_a_path_out_of_the_firmware_is_refused(firmware: Path) -> None:
    path = firmware / "images" / "manifest"
    manifest = path.read_bytes() + f"{'0' * 64} ../secret.py\n".encode()
    path.write_bytes(manifest)
    (firmware / "images" / "manifest.sig").write_text(KEY.sign(manifest).hex())
    with pytest.raises(UserError, match="another version"):
        installed(firmware=firmware)


def test_node_flash_writes_the_signed_image_and_names_its_signer(
    tmp_path: Path, micropython: Path, plug, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    # The simulated board runs the MicroPython of this machine: its image is signed here too.
    kind = ("pico_w", mpy_of_interpreter(micropython))
    firmware = copy_of_firmware(tmp_path / "firmware")
    boot = b"# as signed\n" + (FIRMWARE / "boot.py").read_bytes()
    image = {**node_files(*kind), "boot.py": boot}
    write_images(firmware, "0.1.0", {kind: image}, KEY)
    monkeypatch.setattr(flashing, "installed", lambda key: installed(key, firmware))
    site, board, trusted = write_site(tmp_path), plug(), public_key(tmp_path)
    until(board.port.exists)
    words = ["node", "flash", "n07", "--config", str(site), "--at", "75,12.5", "--sector", "gate"]
    words += ["--port", str(board.port), "--heartbeat-s", "0", "--json"]
    words += ["--image-key", str(trusted)]
    (firmware / "ugs" / "node.py").write_text("changed")
    assert cli.main(words) == 2
    assert "is not what was signed" in capsys.readouterr().err
    shutil.copy(FIRMWARE / "ugs" / "node.py", firmware / "ugs" / "node.py")
    assert cli.main(words) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["signed_by"] == signer_of(PUBLIC)
    # The board holds the file that was signed, which no compilation here makes.
    assert cli.main([*words[:-2], "--dry-run"]) == 0
    assert "send 0 files (0 bytes)" in capsys.readouterr().out


def test_bundle_refuses_a_key_where_this_checkout_has_no_images(tmp_path: Path, capsys) -> None:
    words = ["bundle", "--config", str(tmp_path / "node.toml"), "--out", str(tmp_path / "n07")]
    assert not (FIRMWARE / node_images.FOLDER).exists()
    (tmp_path / "node.toml").write_text((FIRMWARE.parent / "docs/examples/node.toml").read_text())
    key = tmp_path / "fleet.key"
    key.write_text("5a" * 32 + "\n")
    key.chmod(0o600)
    assert cli.main([*words, "--image-key", str(public_key(tmp_path))]) == 2
    assert "no signed node images" in capsys.readouterr().err
