# SPDX-License-Identifier: MIT
"""site.toml: a new node is added at its end; the rest is unchanged."""

from __future__ import annotations

import stat
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

from gateway.config.fields import ID_PATTERN
from gateway.config.site import load_site, read_site
from gateway.errors import ConfigError
from gateway.files import write_atomic
from gateway.model.place.site import WIFI, Node, Site
from tools.errors import UserError
from tools.flash.positions import Position


@dataclass(frozen=True)
class Placement:
    """The position and kind of a node in the command line."""

    position: Position | None = None
    sector: str | None = None
    board: str | None = None
    link: str | None = None


def check_id(node: str) -> None:
    """Raises UserError."""
    if not ID_PATTERN.fullmatch(node):
        raise UserError(f"{node!r} is no node id: 1 to 16 of a-z 0-9 _ -, as in n07")


def placed(path: Path, node: str, placement: Placement) -> tuple[Site, Node, bool]:
    """The site, the node as it is or will be placed in it, and whether it is new.

    Nothing is written. Raises UserError: a name, position or sector is invalid.
    """
    check_id(node)
    try:
        site = load_site(path)
    except ConfigError as error:
        raise UserError(str(error)) from None
    known = site.nodes.get(node)
    if known is not None:
        _no_other_place(path, known, placement)
        return site, known, False
    position = placement.position
    if position is None:
        raise UserError(
            f"{node} is not in {path} yet: give its position, e.g. --at 75,12.5 --sector gate"
        )
    sector = placement.sector or usual_sector(site)
    if not ID_PATTERN.fullmatch(sector):
        raise UserError(f"{sector!r} is no sector id: 1 to 16 of a-z 0-9 _ -, as in gate")
    made = Node(node, position.x_m, position.y_m, sector, placement.board or "")
    made = replace(made, link=placement.link or WIFI, error_m=position.error_m)
    return site, made, True


def usual_sector(site: Site) -> str:
    """The sector of a new node by default: the only one of the site, else "site"."""
    return next(iter(site.sectors)) if len(site.sectors) == 1 else "site"


def register(path: Path, node: Node, position: Position | None = None) -> None:
    """Add a node, and its sector if the file does not have it. The file is replaced in one step.
    Raises UserError; then the file is unchanged."""
    position = position or Position(node.x_m, node.y_m)
    lines = ["", "[[node]]", f'id = "{node.id}"', *position.toml(), f'sector = "{node.sector}"']
    if node.board:
        lines.append(f'board = "{node.board}"')
    if node.link != WIFI:
        lines.append(f'link = "{node.link}"')
    try:
        known = path.read_text(encoding="utf-8-sig")
        declared = [table["id"] for table in tomllib.loads(known).get("sector", ())]
        if node.sector not in declared:
            lines = ["", "[[sector]]", f'id = "{node.sector}"', *lines]
        text = known.rstrip("\n") + "\n" + "\n".join(lines) + "\n"
        read_site(text.encode(), path)
        write_atomic(path, text, stat.S_IMODE(path.stat().st_mode))
    except (OSError, ConfigError) as error:
        raise UserError(f"cannot add {node.id} to {path}: {error}") from None


def _no_other_place(path: Path, known: Node, placement: Placement) -> None:
    position = placement.position
    wanted: dict[str, object] = {
        "sector": placement.sector,
        "board": placement.board,
        "link": placement.link,
    }
    if position is not None:
        wanted |= {"x_m": position.x_m, "y_m": position.y_m}
    for name, given in wanted.items():
        stored = getattr(known, name)
        if given is not None and stored not in ("", given):
            raise UserError(
                f"{path} has {name} = {stored} for {known.id}, the command has {given}; "
                "correct the file, or leave the option out"
            )
