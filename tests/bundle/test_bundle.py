# SPDX-License-Identifier: MIT
"""The bundle: a strict configuration gives the exact files, and no output shows a key."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from gateway import keys
from tests.on_node import run_on_node
from tests.trees import files_of, head_of
from tools.bundle import OWNED, load_config, write_tree
from tools.cli import main
from tools.compiled import mpy_of_interpreter
from tools.errors import UserError
from tools.image import FIRMWARE, boards, make_image

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "node.toml"
ROOT_HEX = "5a" * 32
FROM_TREE = "import sys, package\npackage.attach('a.fw')\nsys.path.insert(0, '/fw')\n"


@pytest.fixture
def node_toml(tmp_path: Path) -> Path:
    """The example configuration with a fleet key beside it."""
    path = tmp_path / "node.toml"
    path.write_text(EXAMPLE.read_text())
    fleet_key = tmp_path / "fleet.key"
    fleet_key.write_text(ROOT_HEX + "\n")
    fleet_key.chmod(0o600)
    return path


def changed(path: Path, old: str, new: str) -> Path:
    """Replace one line of the configuration."""
    text = path.read_text()
    assert re.search(old, text, re.MULTILINE)
    path.write_text(re.sub(old, lambda _: new, text, count=1, flags=re.MULTILINE))
    return path


def test_bundle_of_the_example_writes_the_exact_files(
    node_toml: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "n07"
    words = ["bundle", "--board", "pico_w", "--config", str(node_toml), "--out", str(out)]
    assert main([*words, "--json"]) == 0
    printed = capsys.readouterr()
    facts = json.loads(printed.out)
    found = sorted(p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file())
    assert facts["files"] == found
    assert facts["bytes"] == sum((out / name).stat().st_size for name in found)
    fixed = {"boot.py", "main.py"}
    compiled = {"guard.mpy", "inplace.mpy", "package.mpy", "slots.mpy"}
    rest = {"node.json", "node.copy", "root.copy", "slot0", "slot1", "a.fw", "safe_mode.fw"}
    assert set(found) == fixed | compiled | rest
    assert set(found) <= {*OWNED, "node.json"}
    for name in fixed:
        assert (out / name).read_bytes() == (FIRMWARE / name).read_bytes()
    for name in compiled:
        assert (out / name).read_bytes()[:1] == b"M"
    assert (out / "slot0").read_bytes() == (out / "slot1").read_bytes() == b""
    sources = {
        p.relative_to(FIRMWARE).as_posix()
        for p in FIRMWARE.rglob("*")
        if p.suffix in (".py", ".bin")
    }
    sources = {p for p in sources if not p.startswith("boards/") or p.count("/") == 1}
    sources.remove("boards/espressif.py")  # for another port of MicroPython
    sources = {p for p in sources if not p.startswith("frozen/")}  # for who builds MicroPython
    sources |= {f"boards/pico_w/{name}.py" for name in ("__init__", "board")}
    tree, safe_mode = files_of(out / "a.fw"), files_of(out / "safe_mode.fw")
    fixed |= {"package.py", "slots.py"}
    assert set(tree) == {p.replace(".py", ".mpy") for p in sources - fixed}
    assert head_of(out / "a.fw")[1:] == ["board pico_w", "version 0.1.0", "mpy 4870"]
    assert tree == make_image("pico_w", 4870).files
    assert tree["ugs/model.bin"] == (FIRMWARE / "ugs" / "model.bin").read_bytes()
    assert safe_mode.items() < tree.items()
    assert {"ugs/safe_mode.mpy", "ugs/update/updater.mpy", "boards/guard.mpy"} <= set(safe_mode)
    assert not any(name.startswith("ugs/detect/") for name in safe_mode)
    filters = {f"ugs/dsp/{name}.mpy" for name in ("__init__", "decimate", "fir")}
    assert {name for name in safe_mode if name.startswith("ugs/dsp/")} == filters
    node_key = keys.node_key(bytes.fromhex(ROOT_HEX), "north", "n07")
    table = json.loads((out / "node.json").read_text())
    assert table["key"] == node_key.hex()
    assert (out / "node.json").stat().st_mode & 0o077 == 0
    assert node_key.hex() not in printed.out + printed.err


def test_bundle_is_read_by_the_node_itself(node_toml: Path, tmp_path: Path, micropython: Path):
    out = tmp_path / "n07"
    config = load_config(node_toml)
    write_tree(config, out, mpy_of_interpreter(micropython))
    script = tmp_path / "show.py"
    script.write_text(
        FROM_TREE + "from ugs.config import load_config\n"
        "c = load_config('node.json')\n"
        "print(c.site, c.node, c.board, c.key.hex(), c.ssid, c.host, c.port, c.x_m, c.y_m, c.pir)\n"
    )
    (line,) = run_on_node(micropython, script, cwd=out)
    key = config.key.hex()
    assert line == f"north n07 pico_w {key} groundwatch 192.168.4.1 1883 75.0 12.5 True"


def test_bundle_for_a_serial_link_has_no_network(node_toml: Path, tmp_path: Path):
    text = node_toml.read_text().split("[wifi]")[0].replace("pir = true", 'link = "serial"')
    node_toml.write_text(text)
    write_tree(load_config(node_toml), tmp_path / "n07")
    table = json.loads((tmp_path / "n07" / "node.json").read_text())
    assert table["link"] == "serial"
    assert not table.keys() & {"wifi", "broker"}


def test_bundle_over_a_former_one_replaces_it_and_keeps_the_nodes_state(
    node_toml: Path, tmp_path: Path
):
    out = tmp_path / "n07"
    write_tree(load_config(node_toml), out)
    (out / "state").mkdir()
    (out / "state" / "boot0").write_bytes(b"kept")
    (out / "b.fw").write_text("of an update")
    (out / "slot0").write_bytes(b"which slot is in use")
    changed(node_toml, "^board = .*", 'board = "esp32"')
    write_tree(load_config(node_toml), out)
    assert (out / "state" / "boot0").read_bytes() == b"kept"
    assert (out / "slot0").read_bytes() == b""
    assert not (out / "b.fw").exists()
    assert "boards/pico_w/board.mpy" not in files_of(out / "a.fw")
    assert {"boards/esp32/board.mpy", "boards/espressif.mpy"} <= set(files_of(out / "a.fw"))


def test_bundle_into_a_folder_with_other_files_is_refused_and_changes_nothing(
    node_toml: Path, tmp_path: Path
):
    out = tmp_path / "home"
    out.mkdir()
    (out / "main.py").write_text("another file")
    with pytest.raises(UserError, match="not empty and not a former bundle"):
        write_tree(load_config(node_toml), out)
    assert [p.name for p in out.iterdir()] == ["main.py"]
    with pytest.raises(UserError, match="is a file"):
        write_tree(load_config(node_toml), node_toml)


def test_bundle_through_a_link_replaces_the_link_only(node_toml: Path, tmp_path: Path):
    out = tmp_path / "n07"
    write_tree(load_config(node_toml), out)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("another file")
    (out / "a.fw").unlink()
    (out / "a.fw").symlink_to(elsewhere)
    write_tree(load_config(node_toml), out)
    assert elsewhere.read_text() == "another file"
    assert files_of(out / "a.fw")


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("^id = .*", 'id = "N 07"', "node.id"),
        ("^id = .*", "", "node.id"),
        ("^site = .*", 'site = "seventeen-letters"', "node.site"),
        (
            "^board = .*",
            'board = "abacus"',
            "no board abacus; there are esp32, esp32_c3, ",
        ),
        ("^board = .*", 'board = "esp32"', "--board is pico_w"),
        ("^x_m = .*", 'x_m = "east"', "node.x_m"),
        ("^x_m = .*", "x_m = 1e6", "node.x_m"),
        ("^pir = .*", 'pir = "yes"', "node.pir must be true or false"),
        ("^pir = .*", 'link = "pigeon"', 'node.link must be "wifi" or "serial"'),
        ("^pir = .*", 'link = "serial"', "node.link on a wire needs neither [wifi] nor [broker]"),
        ("^pir = .*", "pirr = true", "node.pirr is not a known key"),
        ("^ssid = .*", f'ssid = "{"x" * 33}"', "wifi.ssid"),
        ("^passphrase = .*", 'passphrase = "short"', "wifi.passphrase"),
        ("^port = .*", "port = 0", "broker.port"),
        ("^port = .*", "port = 65536", "broker.port"),
        (r"^\[broker\]", "[brokers]", "broker"),
        ("^fleet_key = .*", "", "or key_file or key is needed"),
        ("^fleet_key = .*", 'fleet_key = "none.key"', "cannot read the fleet key"),
        ("^fleet_key = .*", 'key_file = "none.key"', "cannot read the node key"),
        ("^fleet_key = .*", 'key = "c0ffee"', "64 hexadecimal digits"),
        ("^fleet_key = .*", f'fleet_key = "fleet.key"\nkey = "{"ab" * 32}"', "is needed, one"),
        (r"^\[node\]", "[node", "not valid TOML"),
    ],
)
def test_bundle_of_an_invalid_configuration_is_one_clear_line(
    old: str,
    new: str,
    complaint: str,
    node_toml: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
):
    changed(node_toml, old, new)
    out = tmp_path / "n07"
    words = ["bundle", "--board", "pico_w", "--config", str(node_toml), "--out", str(out)]
    assert main(words) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("groundwatch: ")
    assert printed.err.count("\n") == 1
    assert complaint in printed.err
    assert "ab" * 32 not in printed.err
    assert not out.exists()


def test_bundle_with_a_key_file_uses_that_key(node_toml: Path, tmp_path: Path):
    (tmp_path / "n07.key").write_text("0f" * 32 + "\n")
    config = load_config(changed(node_toml, "^fleet_key = .*", 'key_file = "n07.key"'))
    assert config.key == b"\x0f" * 32


def test_bundle_with_a_release_key_has_it_in_node_json(
    node_toml: Path, tmp_path: Path, micropython: Path
):
    changed(node_toml, "^# release_key = .*", 'release_key = "release.pub"')
    (tmp_path / "release.pub").write_text("5c" * 32 + "\n")
    out = tmp_path / "n07"
    write_tree(load_config(node_toml), out, mpy_of_interpreter(micropython))
    script = tmp_path / "show.py"
    script.write_text(
        FROM_TREE
        + "from ugs.config import load_config\nprint(load_config('node.json').release.hex())"
    )
    assert run_on_node(micropython, script, cwd=out) == ["5c" * 32]
    (tmp_path / "release.pub").write_text("5c" * 31)
    with pytest.raises(UserError, match="release.pub must hold"):
        load_config(node_toml)


def test_config_shown_hides_its_secrets(node_toml: Path):
    config = load_config(node_toml)
    assert config.key.hex() not in repr(config)
    assert str(config.key) not in repr(config)
    assert config.passphrase not in repr(config)


def test_boards_are_those_with_firmware():
    assert boards() == ["esp32", "esp32_c3", "esp32_s3", "pico2_w", "pico_w"]
