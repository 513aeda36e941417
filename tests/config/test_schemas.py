# SPDX-License-Identifier: MIT
"""JSON Schema in the docs is what the gateway reads by."""

from __future__ import annotations

from pathlib import Path

from gateway.config.secrets import InlineSecret, Secret
from gateway.ports.connector import ConnectorConfig
from tools import schemas


class BellConfig(ConnectorConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A connector of a test."""

    token: Secret
    url: InlineSecret | None = None


def test_schemas_in_the_docs_are_up_to_date() -> None:
    assert schemas.stale() == [], "run: python -m tools.schemas"


def test_schema_that_is_missing_changed_or_of_no_file_is_stale(tmp_path: Path) -> None:
    for name, text in schemas.schemas().items():
        (tmp_path / name).write_text(text)
    (tmp_path / "site.schema.json").write_text("{}")
    (tmp_path / "node.schema.json").unlink()
    (tmp_path / "other.schema.json").write_text("{}")
    assert schemas.stale(tmp_path) == [
        "node.schema.json",
        "other.schema.json",
        "site.schema.json",
    ]


def test_schema_names_a_secret_by_its_file_or_its_variable() -> None:
    table = schemas.schema_of(BellConfig)["$defs"]["BellConfig"]
    assert set(table["properties"]) == {
        "kind", "name", "may", "token_file", "token_env", "url", "url_file", "url_env",
    }  # fmt: skip
    assert table["required"] == ["kind", "name"]
    assert table["allOf"] == [
        {"oneOf": [{"required": ["token_file"]}, {"required": ["token_env"]}]}
    ]
