# SPDX-License-Identifier: MIT
"""Commands: options of replay, recordings, sim export, record take and record check.

The modules that do the work import the simulator; a verb imports them when it runs.
"""

from __future__ import annotations

import re
from typing import Any

import click

from gateway.commands.options import NOT_NEGATIVE, PATH, config_option, json_option
from gateway.store.choose import place
from tools.score.truth import CLASSES


def _ratios(_ctx: click.Context, _param: click.Parameter, text: str) -> tuple[float, ...]:
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        found = ()
    if not found or not all(-20 <= one <= 60 for one in found):
        raise click.BadParameter(f"{text!r}: give dB from -20 to 60, as 6,12,18")
    return found


def _pattern(_ctx: click.Context, _param: click.Parameter, text: str | None) -> str | None:
    try:
        re.compile(text or "")
    except re.error as error:
        raise click.BadParameter(f"{text!r} is no regular expression: {error}") from None
    return text


@click.command("replay")
@click.argument("path", type=PATH, required=False)
@click.option(
    "--store",
    type=place,
    metavar="PATH",
    help="a gateway's groundwatch.db, or the URL of PostgreSQL; it is only read",
)
@config_option("with --store: the gateway's configuration, for its site and operator actions")
@click.option(
    "--rules",
    type=PATH,
    help="with --store: other rules, a TOML file with [rules], [[arming]] and [[escalation]]",
)
@json_option()
@click.option(
    "--channel", metavar="NAME", help="of a recording: its number from 1, or its name, as HHZ"
)
@click.option("--seed", type=NOT_NEGATIVE, default=0, help="seed of the simulated parts")
@click.option(
    "--ambient-nm-s",
    type=float,
    default=100.0,
    help="noise floor that is assumed for uncalibrated counts",
)
def replay(**given: Any) -> int:
    """PATH is a take folder, or an .npz, WAV or miniSEED file; the last line is the summary."""
    from tools.replay import replay_command

    return replay_command(**given)


@click.command()
@click.argument("scenario", type=PATH, required=False)
@click.option("--seconds", type=float, default=120.0, help="duration")
@click.option("--seed", type=int, default=1, help="seed of the world")
@click.option("--out", type=PATH, help="the take folder to write; must not exist")
@click.option("--plot", "picture", type=PATH, metavar="PNG", help="draw what each node measured")
@json_option("print what was written as one JSON object")
def export(**given: Any) -> None:
    """SCENARIO is the name of a built-in one, or a .toml file."""
    from tools.sim import export as run

    run(**given)


@click.command("recordings")
@click.argument("folder", type=PATH)
@click.option(
    "--added-to",
    type=PATH,
    metavar="GROUND",
    help="add each recording to a stretch of these long, continuous ones",
)
@click.option(
    "--snr",
    callback=_ratios,
    default="6,12,18",
    metavar="DB,DB",
    help="loudest two seconds over the ground's median second, with --added-to",
)
@click.option(
    "--group-by",
    callback=_pattern,
    metavar="REGEX",
    help="a row for each match in the names, with --added-to; else for each folder",
)
@click.option(
    "--stretches",
    metavar="CSV|rises",
    help="a row for each stretch listed in a CSV file (file, t0_s, t1_s), or for each one in"
    " which the level rises smoothly, as a vehicle passes",
)
@json_option("a line for each file, then a summary")
@click.option("--markdown", type=PATH, metavar="FILE", help="write the table")
@click.option("--workers", type=NOT_NEGATIVE, default=0, help="processes; 0: all cores")
def recordings(**given: Any) -> int:
    """FOLDER holds recordings, or folders of them. 1 when some were refused."""
    from tools.recordings import recordings_command

    return recordings_command(**given)


@click.command()
@click.argument("node", required=False)
@click.option("--label", help='what happens, in lower case, e.g. "p03 walks 5-40 m"')
@click.option("--protocol", is_flag=True, help="print how to record a data set")
@click.option("--out", type=PATH, help="the take folder to write  [default: below takes/]")
@click.option("--port", help="its serial port  [default: the one that is plugged in]")
@click.option("--scenario", type=PATH, help="a simulated node of this scenario instead")
@click.option("--seed", type=int, default=1, help="of the scenario")
@click.option("--seconds", type=float, help="end after so long")
@click.option("--keys", help='marks by key, e.g. "1=walks@5:0,2=stands,space=passes"')
@click.option("--marks", type=PATH, help="a file of lines SECONDS LABEL")
@click.option("--people", help="pseudonyms of the people, e.g. p03,p04")
@click.option("--background", is_flag=True, help="a null take: no person and no vehicle is near")
@click.option("--class", "class_name", type=click.Choice(CLASSES), default="person")
@click.option("--count", type=int, default=1, help="how many move together")
@click.option("--at", default="0,0", metavar="X,Y", help="the node's place in metres")
@click.option("--place", default="unknown", help="type of place, e.g. meadow")
@click.option("--soil", default="unknown", help="e.g. loam, dry")
@click.option("--sensor", default="unknown", help="e.g. SM-24, 10 Hz, vertical")
@click.option("--gain", default="unknown", help="of the amplifier, e.g. 101")
@click.option("--fault", multiple=True, help="a known fault; repeatable")
@json_option()
def take(**given: Any) -> int:
    """Record one take. 1 when the node or the cable broke it off; its samples so far are kept."""
    from tools.record.cli import take as run

    return run(**given)


@click.command("check")
@click.argument("archive_file", type=PATH, metavar="ARCHIVE")
@json_option("print one JSON object")
def check_set(**given: Any) -> None:
    """Check everything; the first error is one line and exit code 2."""
    from tools.record.check import check_set as run

    run(**given)
