# SPDX-License-Identifier: MIT
"""Generated files: current, checkable, and the example in the manual is a real message."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway import keys
from gateway.wire import codec, messages, seal
from tools import wiregen, wiregen_docs, wiregen_example, wiregen_model
from tools.errors import UserError
from ugs.wire import schema as table


def test_generated_files_are_current() -> None:
    assert wiregen.write(check=True) == 0


def test_check_of_a_changed_file_fails_and_names_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(wiregen, "ROOT", tmp_path)
    for folder in ("gateway/wire", "docs"):
        (tmp_path / folder).mkdir(parents=True)
    assert wiregen.write(check=True) == 1
    assert wiregen.write(check=False) == 0
    assert wiregen.write(check=True) == 0
    (tmp_path / "docs" / "wire.md").write_text("another")
    capsys.readouterr()
    assert wiregen.write(check=True) == 1
    assert capsys.readouterr().err.startswith("docs/wire.md differs")


def test_schema_change_reaches_every_generated_file(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = tuple(
        (number, name, direction, spaces, fields[:-1] if name == "result" else fields)
        for number, name, direction, spaces, fields in table.MESSAGES
    )
    before = wiregen.outputs()
    monkeypatch.setattr(table, "MESSAGES", rows)
    after = wiregen.outputs()
    assert all(before[path] != after[path] for path in before)


def test_message_id_used_twice_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MESSAGES", (*table.MESSAGES, table.MESSAGES[0]))
    with pytest.raises(UserError, match="used twice"):
        wiregen_model.load()


def test_removed_field_is_reserved_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    def removed(name: str, fields: tuple[Any, ...]) -> tuple[Any, ...]:
        if name != "condition":
            return fields
        gone = (fields[-1][0], "", table.RESERVED, 0, 0, None)
        return (*fields[:-1], gone)

    rows = tuple((i, name, d, spaces, removed(name, f)) for i, name, d, spaces, f in table.MESSAGES)
    monkeypatch.setattr(table, "MESSAGES", rows)
    schema = wiregen_model.load()
    assert "Reserved: condition 5." in wiregen_docs.render_markdown(schema)
    assert "1..65535, ; boot\n" not in wiregen_docs.render_cddl(schema)


def test_typical_values_that_no_longer_fit_are_a_user_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(wiregen_example.TYPICAL, "time", {"utc_ms": -1, "echo_ms": 0})
    with pytest.raises(UserError, match="TYPICAL"):
        wiregen.outputs()


def test_example_of_the_manual_opens_with_the_gateways_code() -> None:
    hexes: dict[str, str] = {}
    name = ""
    for line in wiregen_example.example(wiregen_model.load()).splitlines():
        name = line[4:18].strip() or name
        hexes[name] = hexes.get(name, "") + line[18:].split("   ")[0]
    key = keys.node_key(
        bytes.fromhex(hexes["fleet_root"]),
        wiregen_example.SITE,
        wiregen_example.NODE,
        wiregen_example.GENERATION,
    )
    assert key.hex() == hexes["node_key"]
    made = keys.derive(key)
    sealed = bytes.fromhex(hexes["sealed"])
    piv, payload = seal.open_sealed(made.up_key, made.up_iv, sealed, wiregen_example.TOPIC.encode())
    assert seal.parse_up_piv(piv) == (seal.DURABLE, wiregen_example.BOOT, wiregen_example.SEQ)
    message = codec.decode(payload, "up")
    assert isinstance(message, messages.Detection)
    assert message.confidence_pct == wiregen_example.TYPICAL["detection"]["confidence_pct"]


def test_enum_values_are_found_by_name_and_back() -> None:
    assert table.enum_value("condition", "kind", "records_dropped") == 6
    assert table.enum_name("detection", "class", 1) == "person"
    with pytest.raises(ValueError, match="no enum"):
        table.enum_value("condition", "active", "yes")
