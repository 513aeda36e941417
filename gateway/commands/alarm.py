# SPDX-License-Identifier: MIT
"""Commands: `groundwatch alarm`: list, show and acknowledge alarms of the running gateway."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click
import msgspec

from gateway.api.schema.answers import AlarmDetail, Alarms, Done, Doubts
from gateway.api.schema.bodies import AcknowledgeBody
from gateway.commands.client import Client
from gateway.commands.options import (
    NOT_NEGATIVE,
    POSITIVE,
    Number,
    config_option,
    json_option,
    names,
)
from gateway.config import GatewayConfig, load_config
from gateway.config.site import load_site
from gateway.errors import ConfigError
from gateway.model.alarm import Disposition
from gateway.model.view import AlarmView

_HOUR_US = 3600 * 1_000_000


@click.command()
@click.option("--state", type=click.Choice(["open", "closed", "active", "unacknowledged"]))
@click.option("--sector", help="alarms of this sector")
@click.option("--text", help="words to find in reasons, notes and names")
@click.option("--hours", type=Number(min=0), help="raised in so many hours until now")
@click.option("--limit", type=POSITIVE, default=50, help="at most so many")
@config_option()
@json_option()
def list_alarms(
    state: str | None,
    sector: str | None,
    text: str | None,
    hours: float | None,
    limit: int,
    config: Path,
    as_json: bool,
) -> None:
    """The stored alarms, newest first."""
    loaded = load_config(config)
    client = Client(loaded.data_dir)
    from_us = None
    if hours is not None:
        now_us = client.get("/doubts", Doubts).now_us
        from_us = max(0, now_us - int(hours * _HOUR_US))
    query = {"state": state, "sector": sector, "text": text, "from_us": from_us, "limit": limit}
    found = client.get("/alarms", Alarms, query).alarms
    if not found and sector is not None:
        _require_sector(loaded, sector)
    for alarm in found:
        print(_json(alarm) if as_json else _line(alarm))
    if not as_json and not found:
        print("no alarms")


@click.command()
@click.argument("number", type=NOT_NEGATIVE)
@config_option()
@json_option()
def show(number: int, config: Path, as_json: bool) -> None:
    """One alarm with its reasons, nodes and history."""
    detail = Client(load_config(config).data_dir).get(f"/alarms/{number}", AlarmDetail)
    if as_json:
        print(_json(detail))
        return
    alarm = detail.alarm
    print(_line(alarm))
    for reason in alarm.reasons:
        print(f"    {reason}")
    print(f"    nodes {' '.join(alarm.nodes)}; {len(detail.detections)} detections")
    for item in detail.history:
        by = f" by {item.by}" if item.by else ""
        print(f"    {_time(item.at_us)}  {item.change}{by}: {item.state}")


@click.command()
@click.argument("number", type=NOT_NEGATIVE)
@click.option("--disposition", type=names(Disposition), help="assess it as well")
@click.option("--note", default="", help="a remark for the record")
@config_option()
@json_option()
def acknowledge(
    number: int, disposition: str | None, note: str, config: Path, as_json: bool
) -> None:
    """One alarm is acknowledged, and assessed where a disposition is given."""
    done = _acknowledge(number, disposition, note, config)
    print(_json(done) if as_json else f"alarm {number} is acknowledged")


@click.command()
@click.argument("number", type=NOT_NEGATIVE)
@click.argument("disposition", metavar="DISPOSITION", type=names(Disposition))
@click.option("--note", default="", help="a remark for the record")
@config_option()
@json_option()
def assess(number: int, disposition: str, note: str, config: Path, as_json: bool) -> None:
    """One alarm, open or closed, gets its disposition; the API acknowledges it with that."""
    done = _acknowledge(number, disposition, note, config)
    print(_json(done) if as_json else f"alarm {number} is assessed: {disposition}")


def _acknowledge(number: int, disposition: str | None, note: str, config: Path) -> Done:
    body = AcknowledgeBody(disposition=Disposition(disposition) if disposition else None, note=note)
    client = Client(load_config(config).data_dir)
    return client.post(f"/alarms/{number}/acknowledge", Done, body)


def _require_sector(config: GatewayConfig, sector: str) -> None:
    """An unknown sector has no alarms either: name it. Raises ConfigError."""
    known = sorted(load_site(config.site).sectors)
    if sector not in known:
        raise ConfigError(f"there is no sector {sector[:40]!r}; there are {', '.join(known)}")


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
