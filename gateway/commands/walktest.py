# SPDX-License-Identifier: MIT
"""Commands: `groundwatch walktest`: announce a walk test, and see how much was detected."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from gateway.api.schema.answers import DetectionRate, Done, WalkTests
from gateway.api.schema.bodies import WalkTestBody
from gateway.commands.client import Client
from gateway.commands.options import config_option, json_option
from gateway.config import load_config
from gateway.errors import ConfigError
from gateway.performance.monitored_time import MAX_KEPT_DAYS


@click.command()
@click.option("--who", help="who walks")
@click.option("--sectors", help="where, for example west,east")
@click.option("--minutes", type=int, default=30, help="for how long")
@click.option("--crossings", type=int, default=1, help="how often each sector is crossed")
@click.option(
    "--starts-in", type=int, default=0, metavar="MINUTES", help="start after so many minutes"
)
@config_option()
@json_option("print one JSON line")
def announce(
    who: str | None,
    sectors: str | None,
    minutes: int,
    crossings: int,
    starts_in: int,
    config: Path,
    as_json: bool,
) -> None:
    """The running gateway expects the walk. Raises ConfigError for what the user can correct."""
    client = Client(load_config(config).data_dir)
    if not who or not sectors:
        raise ConfigError("name the person and the sectors: --who Ben --sectors west,east")
    body = WalkTestBody(
        who=who,
        sectors=tuple(sectors.split(",")),
        minutes=minutes,
        starts_in_minutes=starts_in,
        crossings=crossings,
    )
    until_us = client.post("/walktests", Done, body).until_us or 0
    until = datetime.fromtimestamp(until_us // 1_000_000, UTC).astimezone()
    if as_json:
        print(json.dumps({"until_us": until_us}))
    else:
        print(f"announced until {until:%H:%M}; then `groundwatch walktest score`")


@click.command()
@click.option("--days", type=int, default=30, help="score so many days")
@config_option()
@json_option("print one JSON line")
def score(days: int, config: Path, as_json: bool) -> None:
    """How many of the announced crossings were detected, by sector."""
    client = Client(load_config(config).data_dir)
    if not 1 <= days <= MAX_KEPT_DAYS:
        raise ConfigError(f"--days must be 1 to {MAX_KEPT_DAYS}, for example --days 30")
    found = client.get("/walktests", WalkTests, {"days": days})
    detection, unwatched = found.detection, found.unwatched
    if as_json:
        facts = msgspec.to_builtins(detection) | {"unwatched": msgspec.to_builtins(unwatched)}
        print(json.dumps(facts))
        return
    print(f"not monitored in these days: {unwatched.hours:.1f} h in {unwatched.gaps} gaps")
    if not detection.crossings:
        print(f"no walk test is over yet in the last {days} days")
        return
    print(f"{detection.walk_tests} walk tests in the last {days} days")
    for row in detection.sectors:
        print(f"{row.sector:<16}  {_pd(row)}")
    print(f"{'all':<16}  {_pd(detection)}")


def _pd(row: DetectionRate) -> str:
    value, low, high = (number or 0.0 for number in row.pd)
    return (
        f"{row.detected} of {row.crossings} crossings, Pd {100 * value:.0f} % "
        f"({100 * low:.0f} to {100 * high:.0f} %, 95 % exact)"
    )
