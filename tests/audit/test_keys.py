# SPDX-License-Identifier: MIT
"""The signing key: made once, for its owner's eyes only, its public half readable by OpenSSL."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest

from gateway.audit import keys
from gateway.audit.checkpoint import Signer, is_signed, signed_bytes
from gateway.errors import ConfigError


def test_audit_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    first = keys.load_or_create(tmp_path / "data")
    path = tmp_path / "data" / keys.PRIVATE_NAME
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = keys.load_or_create(tmp_path / "data")
    assert first.private_bytes_raw() == again.private_bytes_raw()
    public = keys.load_public(tmp_path / "data" / keys.PUBLIC_NAME)
    assert public == first.public_key()


def test_audit_key_others_may_read_is_refused(tmp_path: Path) -> None:
    keys.load_or_create(tmp_path)
    (tmp_path / keys.PRIVATE_NAME).chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        keys.load_or_create(tmp_path)


@pytest.mark.parametrize("content", [b"", b"\0" * 9000, b"-----BEGIN PRIVATE KEY-----\nx\n"])
def test_audit_key_file_of_something_else_is_refused_and_kept(
    content: bytes, tmp_path: Path
) -> None:
    path = tmp_path / keys.PRIVATE_NAME
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="holds no Ed25519 key"):
        keys.load_or_create(tmp_path)
    assert path.read_bytes() == content


def test_audit_signature_is_verified_by_openssl_too(tmp_path: Path) -> None:
    signer = Signer(keys.load_or_create(tmp_path))
    data = signed_bytes(7, b"l" * 32, 5)
    signature = signer.sign(data)
    assert is_signed(signer.public, data, signature)
    assert not is_signed(signer.public, data + b"x", signature)
    (tmp_path / "data").write_bytes(data)
    (tmp_path / "signature").write_bytes(signature)
    ran = subprocess.run(
        ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "audit.pub", "-rawin",
         "-in", "data", "-sigfile", "signature"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Signature Verified Successfully" in ran.stdout
