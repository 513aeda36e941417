# SPDX-License-Identifier: MIT
"""Commands: options of score, site calibrate and the verbs of models.

The modules that do the work import the simulator; a verb imports them when it runs.
"""

from __future__ import annotations

import os
from typing import Any

import click

from gateway.commands.options import NOT_NEGATIVE, PATH, json_option
from tools.score.defaults import (
    CONFIDENCE_DOC,
    FIT_HOURS,
    FIT_SITES,
    HELD_OUT,
    OBSERVED,
    POLICIES_DOC,
    WEIGHTS,
)


@click.command()
@click.argument("takes", type=PATH, nargs=-1, metavar="[TAKE]...")
@click.option(
    "--scenario",
    multiple=True,
    metavar="NAME",
    help="a world instead: a scenario's name or file; may be given again",
)
@click.option("--seeds", default="1", metavar="A-B", help="of the worlds")
@click.option("--hours", type=float, default=1.0, help="of each world")
@click.option(
    "--suite",
    type=PATH,
    is_flag=False,
    flag_value=HELD_OUT,
    metavar="FILE",
    help="the held-out worlds, or those of another suite file",
)
@click.option("--loss", type=int, default=0, metavar="PCT", help="messages that the radio loses")
@click.option("--dead", multiple=True, metavar="NODE", help="a node that is dead from the start")
@click.option("--walk-test", is_flag=True, help="calibrate each world's site by a walk test first")
@click.option(
    "--clock-ms",
    type=int,
    metavar="MS",
    help="error of the nodes' clocks; they report when footsteps arrive",
)
@click.option("--seed", type=NOT_NEGATIVE, default=0, help="of the parts for takes")
@click.option("--workers", type=NOT_NEGATIVE, default=0, help="processes; 0: all cores")
@click.option(
    "--keep",
    type=PATH,
    metavar="FOLDER",
    help="keep what nodes report of worlds there and use it in later runs: after a change of the "
    "gateway alone a score takes seconds",
)
@json_option("print one JSON object")
@click.option("--html", type=PATH, metavar="FILE", help="write plots and tables")
@click.option("--png", type=PATH, metavar="FOLDER", help="write the plots alone")
@click.option("--markdown", type=PATH, metavar="FILE", help="write the tables")
@click.option(
    "--into",
    type=PATH,
    metavar="FILE",
    help="renew the table of goals between its two marks in a file",
)
def score(**given: Any) -> int:
    """Score, print, and write what was asked for. 1 when some runs were refused."""
    from tools.score.cli import score as run

    return run(**given)


@click.command()
@click.option("--suite", type=PATH, default=HELD_OUT, metavar="FILE", help="the sites to score on")
@click.option("--doc", type=PATH, default=POLICIES_DOC, metavar="FILE", help="the table")
@click.option("--workers", type=NOT_NEGATIVE, default=0, help="processes; 0: all cores")
@click.option("--keep", type=PATH, default=OBSERVED, metavar="FOLDER", help="as of score")
@json_option("print one JSON object")
def policies(**given: Any) -> None:
    """Score both policies and write the table."""
    from tools.score.policies import policies as run

    run(**given)


@click.command()
@click.option("--sites", type=int, default=FIT_SITES, help="random sites to fit on")
@click.option(
    "--hours", type=float, default=FIT_HOURS, help="of each site that has no one to alarm about"
)
@click.option("--suite", "suites", type=PATH, multiple=True, metavar="FILE", help="more sites")
@click.option("--out", type=PATH, default=WEIGHTS, metavar="FILE", help="the table")
@click.option("--doc", type=PATH, default=CONFIDENCE_DOC, metavar="FILE", help="its report")
@click.option("--workers", type=NOT_NEGATIVE, default=0, help="processes; 0: all cores")
@click.option(
    "--keep",
    type=PATH,
    default=OBSERVED,
    metavar="FOLDER",
    help="keep what nodes report of each site there, by site, seed and firmware, so that a "
    "stopped run continues and a repeated one takes a minute",
)
@click.option("--only-kept", is_flag=True, help="fit on the sites that are kept already")
@json_option("print one JSON object")
def calibrate(**given: Any) -> None:
    """Observe the sites, fit, and write the table and its report."""
    from tools.score.confidence import calibrate as run

    run(**given)


@click.command("score")
@click.option(
    "--takes", type=PATH, required=True, metavar="FOLDER", help="takes of groundwatch record"
)
@click.option("--seed", type=int, default=0, help="of the simulated parts")
@json_option("print JSON lines; the last sums up")
def score_takes(**given: Any) -> int:
    """Score every take below the folder. 1 when some were refused."""
    from tools.record.score import score_takes as run

    return run(**given)


@click.command("calibrate")
@click.argument("takes", type=PATH, nargs=-1, required=True, metavar="TAKE...")
@json_option("print one JSON object")
def calibrate_site(**given: Any) -> None:
    """Print the lines for site.toml."""
    from tools.calibrate import calibrate_site as run

    run(**given)


@click.command()
@click.option("--sites", type=int, default=200, help="to learn from")
@click.option("--machines", type=int, default=80, help="more of them, with nothing wanted")
@click.option("--check", type=int, default=70, help="to set limits on")
@click.option("--seed", type=NOT_NEGATIVE, default=1, help="of the trees")
@click.option("--version", type=int, default=4, help="of the model, 1..255")
@click.option(
    "--ground",
    type=PATH,
    metavar="FOLDER",
    help="recordings of real ground with nothing on it: half to learn from, half for limits",
)
@click.option("--cache", type=PATH, metavar="FOLDER", help="keep the features of each site here")
@click.option("--out", type=PATH, required=True, metavar="FILE", help="the model")
@click.option("--card", type=PATH, metavar="FILE", help="the model card, Markdown")
@json_option("a line of JSON at the end")
@click.option("--workers", type=int, default=min(2, os.cpu_count() or 1), help="processes")
def train(**given: Any) -> None:
    """Play, grow, set limits, write. Raises UserError for options out of range."""
    from tools.train.cli import train as run

    run(**given)
