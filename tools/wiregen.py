# SPDX-License-Identifier: MIT
"""`groundwatch wire`: write the files generated from the schema table, or check them."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tools import wiregen_docs, wiregen_model, wiregen_python

ROOT = wiregen_model.ROOT


@click.command()
@click.option("--check", is_flag=True, help="write nothing; exit 1 when a file is not current")
def wire(check: bool) -> int:
    """The files that differ are written; with --check, only named."""
    return write(check)


def write(check: bool) -> int:
    """1 when a file is not current and was not written."""
    stale = {path: text for path, text in outputs().items() if _read(path) != text}
    for path, text in stale.items():
        shown = path.relative_to(ROOT)
        if check:
            print(f"{shown} differs from the schema: run `groundwatch wire`", file=sys.stderr)
        else:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {shown}")
    return 1 if check and stale else 0


def outputs() -> dict[Path, str]:
    """Each generated file and its content."""
    schema = wiregen_model.load()
    return {
        ROOT / "gateway" / "wire" / "messages.py": wiregen_python.render(schema),
        ROOT / "docs" / "wire.md": wiregen_docs.render_markdown(schema),
        ROOT / "docs" / "groundwatch.cddl": wiregen_docs.render_cddl(schema),
    }


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None
