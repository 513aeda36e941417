# SPDX-License-Identifier: MIT
"""`groundwatch walktest`: announce a walk over the line, and see how much of it was detected."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway import control
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
    folder = load_config(args.config).data_dir
    if args.action == "announce":
        _announce(args, folder)
    else:
        _score(args, folder)
    return 0


def _announce(args: argparse.Namespace, folder: Path) -> None:
    if not args.who or not args.sectors:
        raise ConfigError("say who walks and where: --who Ben --sectors west,east")
    request = {
        "verb": "walk_test",
        "who": args.who,
        "sectors": args.sectors.split(","),
        "minutes": args.minutes,
        "starts_in_minutes": args.starts_in,
        "crossings": args.crossings,
    }
    answer = control.ask(folder, request)
    until = datetime.fromtimestamp(answer["until_us"] // 1_000_000, UTC).astimezone()
    if args.json:
        print(json.dumps(answer))
    else:
        print(f"announced until {until:%H:%M}; then `groundwatch walktest score`")


def _score(args: argparse.Namespace, folder: Path) -> None:
    if not 1 <= args.days <= DAYS_MOST:
        raise ConfigError(f"--days must be 1 to {DAYS_MOST}, for example --days 30")
    answer = control.ask(folder, {"verb": "performance", "days": args.days})
    detection = answer["performance"]["detection"]
    if args.json:
        print(json.dumps(detection))
        return
    if not detection["crossings"]:
        print(f"no walk test is over yet in the last {args.days} days")
        return
    print(f"{detection['walk_tests']} walk tests in the last {args.days} days")
    for row in [*detection["sectors"], {"sector": "all", **detection}]:
        print(f"{row['sector']:<16}  {_pd(row)}")


def _pd(row: dict[str, Any]) -> str:
    value, low, high = row["pd"]
    return (
        f"{row['detected']} of {row['crossings']} crossings, Pd {100 * value:.0f} % "
        f"({100 * low:.0f} to {100 * high:.0f} %, 95 % exact)"
    )
