# SPDX-License-Identifier: MIT
"""The repository for the architecture tests: files, modules and imports."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
# Written by `groundwatch wire`, as long as the schema makes them; its drift check is their test.
GENERATED = ("gateway/wire/messages.py", "docs/wire.md", "docs/groundwatch.cddl")
# What runs in MicroPython: `#` comments instead of docstrings.
ON_NODE = ("firmware/", "sim_hardware/shims/", "sim_hardware/parts/")


@cache
def files() -> tuple[str, ...]:
    """Every file of the repository, tracked or about to be, as a path from its root."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    return tuple(sorted(path for path in set(listed) if (ROOT / path).is_file()))


def python_files(*folders: str) -> list[str]:
    """Hand-written Python files, of the named folders or of all."""
    return [
        path
        for path in files()
        if path.endswith(".py")
        and path not in GENERATED
        and (not folders or path.startswith(tuple(f"{folder}/" for folder in folders)))
    ]


@cache
def text(path: str) -> str:
    """A file's text."""
    return (ROOT / path).read_text(encoding="utf-8")


@cache
def parsed(path: str) -> ast.Module:
    """A file's syntax tree."""
    return ast.parse(text(path), filename=path)


def module_name(path: str) -> str:
    """The name a file is imported by: firmware/ugs/node.py is `ugs.node`."""
    parts = list(Path(path.removeprefix("firmware/")).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: str) -> Iterator[str]:
    """Yield the full name of everything a file imports, wherever in the file it does so.

    `from a import b` yields both a and a.b: b may be a module.
    """
    package = module_name(path).split(".")
    if not path.endswith("__init__.py"):
        package = package[:-1]
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *(node.module.split(".") if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = ast.unparse(node.func)
            if called in ("__import__", "import_module", "importlib.import_module"):
                yield str(node.args[0].value)


def under(name: str, *packages: str) -> bool:
    """Whether a module is one of the packages or lies in one."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)
