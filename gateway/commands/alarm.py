# SPDX-License-Identifier: MIT
"""Commands: `groundwatch alarm`: list, show and acknowledge alarms of the running gateway."""

from __future__ import annotations

import argparse
import time
from datetime import datetime

import msgspec

from gateway.api.schema.answers import AlarmDetail, Alarms, Done
from gateway.api.schema.bodies import AcknowledgeBody
from gateway.commands.client import Client
from gateway.config import add_option, load_config
from gateway.errors import ConfigError
from gateway.model.alarm import Disposition
from gateway.model.view import AlarmView

_HOUR_US = 3600 * 1_000_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument("action", choices=("list", "show", "ack"))
    parser.add_argument("number", type=int, nargs="?", help="of the alarm (show, ack)")
    parser.add_argument(
        "--state", choices=("open", "closed", "active", "unacknowledged"), help="(list)"
    )
    parser.add_argument("--sector", help="alarms of this sector (list)")
    parser.add_argument("--text", help="words to find in reasons, notes and names (list)")
    parser.add_argument("--hours", type=float, help="raised in so many hours until now (list)")
    parser.add_argument("--limit", type=int, default=50, help="at most so many (default: 50)")
    parser.add_argument(
        "--disposition", choices=[one.value for one in Disposition], help="what it was (ack)"
    )
    parser.add_argument("--note", default="", help="a remark (ack)")
    add_option(parser)
    parser.add_argument("--json", action="store_true", help="print JSON lines")


def run(args: argparse.Namespace) -> int:
    """0 when done. Raises ConfigError for what the user can mend."""
    client = Client(load_config(args.config).data_dir)
    if args.action == "list":
        return _list(client, args)
    if args.number is None:
        raise ConfigError(f"give the alarm's number: groundwatch alarm {args.action} 12")
    if args.action == "show":
        return _show(client, args)
    disposition = Disposition(args.disposition) if args.disposition else None
    body = AcknowledgeBody(disposition=disposition, note=args.note)
    done = client.post(f"/alarms/{args.number}/acknowledge", Done, body)
    print(_json(done) if args.json else f"alarm {args.number} is acknowledged")
    return 0


def _list(client: Client, args: argparse.Namespace) -> int:
    from_us = None
    if args.hours is not None:
        from_us = max(0, time.time_ns() // 1000 - int(args.hours * _HOUR_US))
    query = {
        "state": args.state,
        "sector": args.sector,
        "text": args.text,
        "from_us": from_us,
        "limit": args.limit,
    }
    found = client.get("/alarms", Alarms, query)
    for alarm in found.alarms:
        print(_json(alarm) if args.json else _line(alarm))
    if not args.json and not found.alarms:
        print("no alarms")
    return 0


def _show(client: Client, args: argparse.Namespace) -> int:
    detail = client.get(f"/alarms/{args.number}", AlarmDetail)
    if args.json:
        print(_json(detail))
        return 0
    alarm = detail.alarm
    print(_line(alarm))
    for reason in alarm.reasons:
        print(f"    {reason}")
    print(f"    nodes {' '.join(alarm.nodes)}; {len(detail.detections)} detections")
    for item in detail.history:
        by = f" by {item.by}" if item.by else ""
        print(f"    {_time(item.at_us)}  {item.change}{by}: {item.state}")
    return 0


def _line(alarm: AlarmView) -> str:
    what = alarm.target.label if alarm.target is not None else alarm.kind.value
    assessed = f", {alarm.disposition.value}" if alarm.disposition is not None else ""
    return (
        f"#{alarm.id}  {_time(alarm.raised_us)}  {what}  {', '.join(alarm.sectors)}  "
        f"{alarm.state.replace('_', ', ')}{assessed}"
    )


def _time(at_us: int) -> str:
    return f"{datetime.fromtimestamp(at_us / 1e6).astimezone():%Y-%m-%d %H:%M:%S}"


def _json(value: msgspec.Struct) -> str:
    return msgspec.json.encode(value).decode()
