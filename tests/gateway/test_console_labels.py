# SPDX-License-Identifier: MIT
"""Labels of the page: every name that the gateway sends and people read has one."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from gateway.console.pages import STATIC
from gateway.model.alarm import AlarmKind
from gateway.outbox.notification import NOTIFIED, TEST
from gateway.performance import measure

GATEWAY = STATIC.parent.parent
REJECTED = re.compile(r'(?:Refusal|WireError|refused\.count)\(\s*"([a-z_]+)"')


def labels(name: str) -> set[str]:
    """Keys of one table of labels.js."""
    table = re.search(
        rf"export const {name} = {{(.*?)}};", (STATIC / "labels.js").read_text(), re.S
    )
    assert table is not None
    return set(re.findall(r"(\w+): \"", table[1]))


def rejections() -> set[str]:
    """Reasons by which the gateway counts rejected messages, as its code names them."""
    return {
        reason
        for folder in ("intake", "wire")
        for path in (GATEWAY / folder).rglob("*.py")
        for reason in REJECTED.findall(path.read_text())
    }


def counters() -> set[str]:
    """Keys of the section `counters` of the picture."""
    tree = ast.parse(Path(GATEWAY / "app_facade.py").read_text())
    (function,) = (
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name == "_counters"
    )
    (shown,) = (node for node in ast.walk(function) if isinstance(node, ast.Dict))
    return {key.value for key in shown.keys if isinstance(key, ast.Constant)}


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("ALARM", {kind.value for kind in AlarmKind} - {"intrusion"}),
        ("CHANGE", {change.value for change in NOTIFIED} | {TEST}),
        ("RESULT", set(measure._WORDS)),
        ("STATE", {"normal", "detecting", "fault", "offline", "not_reporting"}),
        ("COUNTER", counters() | {"sign_ins_failed"}),
        ("REJECTION", rejections() | {"old_epoch", "stale_key", "foreign_site", "unknown_node",
                                      "replayed", "old_boot", "other"}),
    ],
)  # fmt: skip
def test_label_table_has_every_name_that_is_sent_and_no_other(name: str, sent: set[str]) -> None:
    assert labels(name) == sent
