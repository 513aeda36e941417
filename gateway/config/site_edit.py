# SPDX-License-Identifier: MIT
"""Configuration: changes of site.toml by a program: a node is added, or moved.

Every other line stays as a person wrote it. The file is replaced in one step, and one program at a
time changes it.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gateway.config.reading import MAX_FILE_BYTES, parse_toml, read_file
from gateway.config.site import read_site
from gateway.errors import ConfigError
from gateway.files import write_atomic
from gateway.model.place.position import Position
from gateway.model.place.site import WIFI, Node, Site

_HEADER = re.compile(r"\s*\[\[\s*node\s*\]\]\s*(#.*)?")
_OF_POSITION = ("x_m", "y_m", "latitude", "longitude", "error_m")
_POSITION_LINE = re.compile(rf"\s*({'|'.join(_OF_POSITION)})\s*=")


def change_site(
    path: Path, change: Callable[[str], str], check: Callable[[Site], None] = lambda _site: None
) -> Site:
    """The site after `change` of the file's text. `check` may refuse the new site.

    Raises ConfigError; then the file is unchanged.
    """
    with _locked(path):
        before = read_file(path)
        read_site(before, path)
        after = change(before.decode("utf-8-sig")).encode()
        if len(after) > MAX_FILE_BYTES:
            raise ConfigError(f"{path}: it would be larger than {MAX_FILE_BYTES} bytes")
        site = read_site(after, path)
        check(site)
        try:
            write_atomic(path, after, stat.S_IMODE(path.stat().st_mode))
        except OSError as error:
            raise ConfigError(f"{path}: cannot be written: {error.strerror}") from None
    return site


def place(
    path: Path, node: str, position: Position, sector: str, check: Callable[[Site], None]
) -> Site:
    """The site with this node at this position; a node that the site does not have is added.

    `sector` may be empty: that of the node, or the usual one. Raises ConfigError; then the file is
    unchanged.
    """

    def change(text: str) -> str:
        site = read_site(text.encode(), path)
        known = site.nodes.get(node)
        if known is None:
            at = (position.x_m, position.y_m, sector or usual_sector(site))
            return with_node(text, Node(node, *at), position)
        if sector not in ("", known.sector):
            raise ConfigError(
                f"{node} is in sector {known.sector}: another sector is set in {path.name}, "
                "and needs a restart"
            )
        return moved(text, node, position, path)

    return change_site(path, change, check)


def usual_sector(site: Site) -> str:
    """The sector of a new node by default: the only one of the site, else "site"."""
    return next(iter(site.sectors)) if len(site.sectors) == 1 else "site"


def with_node(text: str, node: Node, position: Position) -> str:
    """The text with this node at its end, and with its sector if the text does not have it."""
    lines = ["", "[[node]]", f'id = "{node.id}"', *position.toml(), f'sector = "{node.sector}"']
    if node.board:
        lines.append(f'board = "{node.board}"')
    if node.link != WIFI:
        lines.append(f'link = "{node.link}"')
    declared = [table["id"] for table in tomllib.loads(text).get("sector", ())]
    if node.sector not in declared:
        lines = ["", "[[sector]]", f'id = "{node.sector}"', *lines]
    return text.rstrip("\n") + "\n" + "\n".join(lines) + "\n"


def moved(text: str, node: str, position: Position, path: Path) -> str:
    """The text with another position of this node. Comments beside the former position go.

    Raises ConfigError: the table is written in a form that is not changed here.
    """
    expected = parse_toml(text.encode(), path)
    index = [table["id"] for table in expected["node"]].index(node)
    wanted = tomllib.loads("\n".join(position.toml()))
    table: dict[str, Any] = expected["node"][index]
    others = {key: value for key, value in table.items() if key not in _OF_POSITION}
    expected["node"][index] = others | wanted
    changed = _with_lines(text.splitlines(), index, position.toml())
    try:
        if tomllib.loads(changed) == expected:
            return changed
    except tomllib.TOMLDecodeError:
        pass
    lines = ", ".join(position.toml())
    raise ConfigError(f"{path}: set {lines} of {node} by hand: its table has an unusual form")


def _with_lines(lines: list[str], index: int, position: list[str]) -> str:
    headers = [at for at, line in enumerate(lines) if _HEADER.fullmatch(line)]
    if index >= len(headers):
        return ""
    start = headers[index] + 1
    ends = (at for at in range(start, len(lines)) if lines[at].lstrip().startswith("["))
    end = next(ends, len(lines))
    kept = [line for line in lines[start:end] if not _POSITION_LINE.match(line)]
    first = next((at for at in range(start, end) if _POSITION_LINE.match(lines[at])), start)
    before = first - start
    body = [*kept[:before], *position, *kept[before:]]
    return "\n".join([*lines[:start], *body, *lines[end:]]) + "\n"


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Raises ConfigError while another program changes a file of the folder."""
    try:
        handle = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be changed: {error.strerror}") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise ConfigError(f"{path}: another program changes it: try again") from None
    finally:
        os.close(handle)
