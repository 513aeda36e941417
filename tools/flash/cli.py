# SPDX-License-Identifier: MIT
"""`groundwatch node flash`: the command. Help and completion import no serial line and no chip."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gateway.commands.options import PATH
from tools.errors import UserError
from tools.flash.options import BoardOptions, board_options

_HEARTBEAT_S = 90.0  # a Pico W starts in 4 s, and joins a Wi-Fi within 30
_DAY_S = 86_400


@click.command()
@click.argument("node")
@board_options
@click.option("--drive", type=PATH, help="the boot ROM's drive  [default: the one that is mounted]")
@click.option("--image", type=PATH, help="a MicroPython image instead of the known one")
@click.option(
    "--image-key", type=PATH, help="public key of the release that must have signed the firmware"
)
@click.option("--reinstall", is_flag=True, help="install MicroPython again, even if it is there")
@click.option("--replace", is_flag=True, help="the node's old board is lost")
@click.option("--dry-run", is_flag=True, help="only show what would be done")
@click.option(
    "--heartbeat-s",
    type=float,
    default=_HEARTBEAT_S,
    help="how long to wait for its first heartbeat at a running gateway; 0: not at all",
)
def flash(
    drive: Path | None,
    image: Path | None,
    image_key: Path | None,
    reinstall: bool,
    replace: bool,
    dry_run: bool,
    heartbeat_s: float,
    **shared: Any,
) -> int:
    """NODE is its id, as in n07."""
    if not 0 <= heartbeat_s <= _DAY_S:
        raise UserError("--heartbeat-s must be 0 to 86400 seconds, as in --heartbeat-s 90")
    from tools.flash.flashing import FlashOptions, run

    shared_options = BoardOptions(**shared)
    return run(
        FlashOptions(
            shared_options, drive, image, image_key, reinstall, replace, dry_run, heartbeat_s
        )
    )
