# SPDX-License-Identifier: MIT
"""Releases: made offline by a wrapped key, and read by a gateway that believes nothing."""

from __future__ import annotations

import json
import os
import random
import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway import wrapped
from gateway.errors import ConfigError
from gateway.updates import package
from tests.on_node import run_on_node
from tools.cli import main
from tools.compiled import architectures, compiled, mpy_for
from tools.image import FIRMWARE, boards, read_sources
from tools.release import make_release

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
MPY = 4870
FILES = {"boards/base.mpy": b"1\n", "ugs/node.mpy": b"2\n" * 900, "ugs/version.mpy": b""}
PASSPHRASE = "eleven plus one"


def small(version: str = "0.2.0", board: str = "pico_w") -> bytes:
    return package.build(board, version, MPY, FILES, KEY)


def parse(data: bytes) -> package.Release:
    return package.parse(data, KEY.public_key(), "it")


@pytest.fixture
def passphrase(tmp_path: Path) -> Path:
    path = tmp_path / "passphrase"
    path.write_text(PASSPHRASE + "\n")
    path.chmod(0o600)
    return path


def test_release_made_signed_and_shown_by_the_commands_of_the_guide(
    tmp_path: Path,
    passphrase: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.chdir(tmp_path)
    secretly = ["--passphrase-file", str(passphrase)]
    assert main(["release", "key", *secretly]) == 0
    assert (tmp_path / "release.key").stat().st_mode & 0o077 == 0
    sign = ["release", "sign", "--board", "pico_w", "--version", "0.2.0", "--out", "a.gwr"]
    assert main([*sign, *secretly]) == 0
    capsys.readouterr()
    assert main(["release", "show", "a.gwr"]) == 0
    printed = capsys.readouterr()
    facts = json.loads(printed.out)
    assert (facts["board"], facts["version"]) == ("pico_w", "0.2.0")
    assert (facts["architecture"], facts["mpy"]) == ("armv6m", "6.3")
    assert facts["files"] == len(read_sources("pico_w"))
    assert PASSPHRASE not in printed.out + printed.err + (tmp_path / "release.key").read_text()
    assert main([*sign, *secretly]) == 2  # a release is never overwritten
    assert main(["release", "key", *secretly]) == 2  # nor a key
    assert main([*sign[:-1], "b.gwr", "--version", "1.0", *secretly]) == 2
    passphrase.write_text("another passphrase")
    assert main([*sign[:-1], "b.gwr", *secretly]) == 2
    passphrase.chmod(0o644)
    assert main([*sign[:-1], "b.gwr", *secretly]) == 2
    assert capsys.readouterr().err.count("\n") == 5


@pytest.mark.parametrize("board", boards())
def test_release_of_the_firmware_holds_its_version_and_fits_the_flash(board: str):
    release = parse(make_release(board, "9.8.7", KEY))
    paths = [line.split()[2] for line in release.manifest.decode().splitlines()[4:]]
    assert paths == [path.replace(".py", ".mpy") for path in read_sources(board)]
    assert b"9.8.7" in release.contents[paths.index("ugs/version.mpy")]
    assert release.number == 9_008_007


def test_release_of_the_same_sources_is_the_same_bytes_from_any_folder(tmp_path: Path):
    data = make_release("pico_w", "0.2.0", KEY)
    compiled.cache_clear()
    other = tmp_path / "elsewhere" / "firmware"
    shutil.copytree(FIRMWARE, other)
    for path in other.rglob("*"):
        os.utime(path, (1, 1))
    assert make_release("pico_w", "0.2.0", KEY, other) == data
    (other / "ugs" / "clock.py").write_text("NOW = 1\n")
    assert make_release("pico_w", "0.2.0", KEY, other) != data


@pytest.mark.parametrize("architecture", architectures())
def test_release_for_an_architecture_holds_machine_code_of_it_alone(architecture: str):
    mpy = mpy_for("pico_w", architecture)
    release = parse(make_release("pico_w", "0.2.0", KEY, mpy=mpy))
    assert release.mpy == mpy
    # py/persistentcode.h: the third byte holds the sub-version and, from bit 2, the architecture.
    features = {data[2] for data in release.contents if data[:2] == b"M\x06" and data[2]}
    assert features == {mpy >> 10 << 2 | 3}


def test_release_of_firmware_that_does_not_compile_names_file_and_line(
    tmp_path: Path, passphrase: Path, capsys: pytest.CaptureFixture[str]
):
    shutil.copytree(FIRMWARE, tmp_path / "firmware")
    (tmp_path / "firmware" / "ugs" / "clock.py").write_text("x = 1\nmatch x:\n    case 1: pass\n")
    words = ["release", "sign", "--board", "pico_w", "--version", "0.2.0", "--firmware"]
    words += [str(tmp_path / "firmware"), "--key", str(tmp_path / "release.key")]
    words += ["--out", str(tmp_path / "a.gwr"), "--passphrase-file", str(passphrase)]
    key = ["release", "key", "--out", str(tmp_path / "release.key")]
    assert main([*key, "--passphrase-file", str(passphrase)]) == 0
    assert main(words) == 2
    error = capsys.readouterr().err
    assert "ugs/clock.py" in error and "SyntaxError" in error
    assert error.count("\n") == 1


def test_chunks_of_a_release_joined_are_its_files():
    release = parse(small())
    for number, whole in enumerate((release.manifest, *release.contents)):
        chunks = [release.chunk(number, at) for at in range(0, len(whole), package.CHUNK_BYTES)]
        assert b"".join(chunks) == whole
        assert release.chunk(number, len(whole)) == b""
    assert release.chunk(99, 0) == b""
    assert len(release.order) == 100


def test_release_with_any_byte_changed_is_refused():
    data = small()
    rng = random.Random(4)
    for at in rng.sample(range(len(data)), 300):
        changed = bytearray(data)
        changed[at] ^= 1 << rng.randrange(8)
        with pytest.raises(ConfigError):
            parse(bytes(changed))


def test_release_cut_anywhere_or_with_more_behind_it_is_refused():
    data = small()
    for size in (*range(200), *range(200, len(data), 97)):
        with pytest.raises(ConfigError):
            parse(data[:size])
    with pytest.raises(ConfigError):
        parse(data + b"\n")


def test_release_larger_than_a_node_takes_is_refused():
    files = {f"ugs/file{number}.mpy": b"1" * package.MAX_FILE_BYTES for number in range(5)}
    with pytest.raises(ConfigError, match="327680 bytes of files, and a node takes 262144"):
        parse(package.build("pico_w", "0.2.0", MPY, files, KEY))


def test_release_by_another_key_is_refused():
    other = Ed25519PrivateKey.generate().public_key()
    with pytest.raises(ConfigError, match="not signed by this site's release key"):
        package.parse(small(), other, "it")


# What the node's own parser and the gateway's must refuse alike, although the key signed it.
BAD_MANIFESTS = [
    b"",
    b"groundwatch release 2\nboard pico_w\nversion 0.2.0\nmpy 4870\n",
    b"groundwatch release 1\nboard pico_w\nversion 0.2.0\nmpy 4870\n",
    *(
        b"groundwatch release 1\n" + head + b"0" * 64 + b" 0 ugs/a.mpy\n"
        for head in (
            b"board pico_w\nversion 0.2\nmpy 4870\n",
            b"board pico_w\nversion 0.02.0\nmpy 4870\n",
            b"version 0.2.0\nboard pico_w\nmpy 4870\n",
            b"board pico_w\nversion 0.2.0\n",
            b"board pico_w\nversion 0.2.0\nmpy 04870\n",
            b"board pico_w\nversion 0.2.0\nmpy -1\n",
            b"board pico_w\nversion 0.2.0\nmpy armv6m\n",
        )
    ),
    *(
        b"groundwatch release 1\nboard pico_w\nversion 0.2.0\nmpy 4870\n" + line
        for line in (
            b"0" * 64 + b" 0 ugs/a.mpy",
            b"0" * 63 + b" 0 ugs/a.mpy\n",
            b"0" * 63 + b"g 0 ugs/a.mpy\n",
            b"0" * 64 + b" -1 ugs/a.mpy\n",
            b"0" * 64 + b" 01 ugs/a.mpy\n",
            b"0" * 64 + b" 65537 ugs/a.mpy\n",
            b"0" * 64 + b" 0 ugs/../main.mpy\n",
            b"0" * 64 + b" 0 /ugs/a.mpy\n",
            b"0" * 64 + b" 0 ugs//a.mpy\n",
            b"0" * 64 + b" 0 main.mpy\n",
            b"0" * 64 + b" 0 state/a.mpy\n",
            b"0" * 64 + b" 0 ugs/a.txt\n",
            b"0" * 64 + b" 0 ugs/a.py\n",
            b"0" * 64 + b" 0 ugs/.mpy\n",
            b"0" * 64 + b" 0 ugs/a.mpy.mpy\n",
            b"0" * 64 + b" 0 ugs/A.mpy\n",
            b"0" * 64 + b"  0 ugs/a.mpy\n",
            b"0" * 64 + b" 0 ugs/" + b"a" * 60 + b".mpy\n",
            b"0" * 64 + b" 0 ugs/b.mpy\n" + b"0" * 64 + b" 0 ugs/a.mpy\n",
            b"0" * 64 + b" 0 ugs/a.mpy\n" + b"0" * 64 + b" 0 ugs/a.mpy\n",
            b"".join(b"0" * 64 + b" 65536 ugs/f%d.mpy\n" % n for n in range(6)),
            b"".join(b"0" * 64 + b" 0 ugs/f%03d.mpy\n" % n for n in range(256)),
            b"\n",
            b"\xff" * 200,
        )
    ),
]
GOOD_MANIFEST = b"groundwatch release 1\nboard pico_w\nversion 0.2.0\nmpy 4870\n" + (
    b"0" * 64 + b" 12 ugs/dsp/a_1.mpy\n"
)


def test_malformed_manifest_is_refused_by_node_and_gateway_alike(micropython: Path, tmp_path: Path):
    script = tmp_path / "parse.py"
    script.write_text(
        "import sys\n"
        "from ugs.update.manifest import Manifest, ManifestError\n"
        "for path in sys.argv[1:]:\n"
        "    try:\n"
        "        m = Manifest(path)\n"
        "        print(m.board, m.version, m.mpy, [e[0] for e in m.entries()])\n"
        "    except ManifestError:\n"
        "        print('refused')\n"
    )
    names = []
    for number, manifest in enumerate([GOOD_MANIFEST, *BAD_MANIFESTS]):
        head = package.FIRST + len(manifest).to_bytes(4, "big") + bytes(64)
        (tmp_path / str(number)).write_bytes(head + manifest)
        names.append(str(number))
    lines = run_on_node(micropython, script, *names, cwd=tmp_path)
    assert lines[0] == "pico_w 2000 4870 ['ugs/dsp/a_1.mpy']"
    assert lines[1:] == ["refused"] * len(BAD_MANIFESTS)
    for manifest in BAD_MANIFESTS:
        digest = package.sha256(manifest).digest()
        head = package.FIRST + len(manifest).to_bytes(4, "big")
        with pytest.raises(ConfigError):
            parse(head + KEY.sign(package.FIRST + digest) + manifest)


def test_wrapped_secret_opens_with_its_passphrase_only(tmp_path: Path):
    path = tmp_path / "secret"
    wrapped.create(path, "release key", b"s" * 32, PASSPHRASE)
    assert wrapped.open_secret(path, "release key", PASSPHRASE) == b"s" * 32
    with pytest.raises(ConfigError, match="does not open"):
        wrapped.open_secret(path, "release key", PASSPHRASE + "!")
    with pytest.raises(ConfigError, match="is no wrapped fleet root"):
        wrapped.open_secret(path, "fleet root", PASSPHRASE)
    with pytest.raises(ConfigError, match="at least 12"):
        wrapped.create(tmp_path / "other", "release key", b"s", "too short")
    table = json.loads(path.read_text())
    for change in (
        {"memory_kib": 2**22},
        {"passes": True},
        {"salt": "00"},
        {"nonce": "zz"},
        {"wrapped": 5},
        {"more": 1},
    ):
        path.write_text(json.dumps(table | change))
        with pytest.raises(ConfigError, match="is no wrapped release key"):
            wrapped.open_secret(path, "release key", PASSPHRASE)
    path.write_text(json.dumps(table | {"wrapped": "00" * 48}))
    with pytest.raises(ConfigError, match="does not open"):
        wrapped.open_secret(path, "release key", PASSPHRASE)
