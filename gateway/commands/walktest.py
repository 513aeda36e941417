# SPDX-License-Identifier: MIT
"""Commands: `groundwatch walktest`: announce a walk test, and see how much was detected."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime

import msgspec

from gateway.api.schema.answers import DetectionRate, Done, WalkTests
from gateway.api.schema.bodies import WalkTestBody
from gateway.commands.client import Client
from gateway.config import add_option, load_config
from gateway.errors import ConfigError
from gateway.performance.watch import DAYS_MOST


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument("action", choices=("announce", "score"))
    parser.add_argument("--who", help="who walks (announce)")
    parser.add_argument("--sectors", help="where, for example west,east (announce)")
    parser.add_argument("--minutes", type=int, default=30, help="for how long (default 30)")
    parser.add_argument(
        "--crossings", type=int, default=1, help="how often each sector is crossed (default 1)"
    )
    parser.add_argument(
        "--starts-in", type=int, default=0, metavar="MINUTES", help="begin later (default now)"
    )
    parser.add_argument("--days", type=int, default=30, help="score so many days (default 30)")
    add_option(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON line")


def run(args: argparse.Namespace) -> int:
    """0 when the running gateway has done it. Raises ConfigError for what the user can mend."""
    client = Client(load_config(args.config).data_dir)
    if args.action == "announce":
        _announce(args, client)
    else:
        _score(args, client)
    return 0


def _announce(args: argparse.Namespace, client: Client) -> None:
    if not args.who or not args.sectors:
        raise ConfigError("say who walks and where: --who Ben --sectors west,east")
    body = WalkTestBody(
        who=args.who,
        sectors=tuple(args.sectors.split(",")),
        minutes=args.minutes,
        starts_in_minutes=args.starts_in,
        crossings=args.crossings,
    )
    until_us = client.post("/walktests", Done, body).until_us or 0
    until = datetime.fromtimestamp(until_us // 1_000_000, UTC).astimezone()
    if args.json:
        print(json.dumps({"until_us": until_us}))
    else:
        print(f"announced until {until:%H:%M}; then `groundwatch walktest score`")


def _score(args: argparse.Namespace, client: Client) -> None:
    if not 1 <= args.days <= DAYS_MOST:
        raise ConfigError(f"--days must be 1 to {DAYS_MOST}, for example --days 30")
    detection = client.get("/walktests", WalkTests, {"days": args.days}).detection
    if args.json:
        print(msgspec.json.encode(detection).decode())
        return
    if not detection.crossings:
        print(f"no walk test is over yet in the last {args.days} days")
        return
    print(f"{detection.walk_tests} walk tests in the last {args.days} days")
    for row in detection.sectors:
        print(f"{row.sector:<16}  {_pd(row)}")
    print(f"{'all':<16}  {_pd(detection)}")


def _pd(row: DetectionRate) -> str:
    value, low, high = (number or 0.0 for number in row.pd)
    return (
        f"{row.detected} of {row.crossings} crossings, Pd {100 * value:.0f} % "
        f"({100 * low:.0f} to {100 * high:.0f} %, 95 % exact)"
    )
