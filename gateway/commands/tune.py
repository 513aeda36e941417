# SPDX-License-Identifier: MIT
"""Commands: `groundwatch model tune`: each node's own quiet, proposals, a replay."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from gateway.api.schema.bodies import TuningBody
from gateway.commands import offline_clock
from gateway.commands.client import Client, part
from gateway.commands.node_command import ended, line_of
from gateway.commands.options import NOT_NEGATIVE, config_option, json_option
from gateway.config import load_config
from gateway.errors import ConfigError
from gateway.model.actions.node_command import NodeCommand, NodeCommandState
from gateway.store.choose import place, reading
from gateway.tuning.bounds import DAY_US, DEFAULT_DAYS, DEFAULT_WEEKS, MAX_DAYS, MAX_WEEKS
from gateway.tuning.propose import Action
from gateway.tuning.report import NodeQuiet, TuningReport

if TYPE_CHECKING:
    from gateway.tuning.replay import Replayed

_LOST_SHOWN = 3


@dataclass(frozen=True)
class Request:
    """What was asked for."""

    store: Path | str | None
    weeks: int
    node: str | None
    replay: bool
    apply: str | None
    reason: str | None
    who: str
    days: int
    keep: bool
    accept_lost: int
    config: Path
    as_json: bool


@click.command()
@click.option(
    "--store",
    metavar="PATH",
    type=place,
    help="a gateway's groundwatch.db, or the URL of PostgreSQL; it is only read, and the weeks "
    "end with its newest heartbeat  [default: the configured store, and now]",
)
@click.option("--weeks", type=int, default=DEFAULT_WEEKS, help="so many")
@click.option("--node", help="of this node only")
@click.option(
    "--replay",
    is_flag=True,
    help="the detections and alarms of these weeks that would not have come",
)
@click.option(
    "--apply",
    metavar="NODE",
    help="as a supervisor: have the running gateway send what is proposed for the node",
)
@click.option("--reason", help="for the audit (--apply)")
@click.option(
    "--who", default="", help="who confirms, where a login is shared, for the audit (--apply)"
)
@click.option(
    "--days", type=int, default=DEFAULT_DAYS, help="after which it is proposed to go back (--apply)"
)
@click.option(
    "--keep",
    is_flag=True,
    help="keep a tuning that is over for --days more, in place of going back (--apply)",
)
@click.option(
    "--accept-lost",
    type=NOT_NEGATIVE,
    default=0,
    metavar="N",
    help="the number of confirmed detections that would have been lost (--apply)",
)
@config_option()
@json_option("print one JSON object")
def tune(**given: Any) -> int:
    """0 when done, 1 when the node has not changed its threshold. Raises GroundwatchError for what
    the user can correct."""
    asked = Request(**given)
    if not 1 <= asked.weeks <= MAX_WEEKS:
        raise ConfigError(f"--weeks must be 1 to {MAX_WEEKS}, for example --weeks 4")
    if asked.apply is None:
        if asked.reason is not None or asked.who or asked.accept_lost or asked.keep:
            raise ConfigError("--reason, --who, --keep, --accept-lost belong to --apply NODE")
        _show(asked)
        return 0
    if asked.store is not None or asked.replay or asked.node is not None:
        raise ConfigError("--apply asks the running gateway: leave out --store, --replay, --node")
    return _apply(asked, asked.apply)


def _show(asked: Request) -> None:
    # These need numpy, which help and completion do not load.
    from gateway.commands import tune_table
    from gateway.tuning.measure import measure
    from gateway.tuning.records import newest_us, read
    from gateway.tuning.replay import replayed

    where: Path | str = load_config(asked.config).store if asked.store is None else asked.store
    replay: Replayed | None = None
    with reading(where) as db:
        if asked.store is None:
            until_us, warning = offline_clock.now(where)
            if warning:
                print(warning, file=sys.stderr)
        else:  # of any age
            until_us = newest_us(db, time.time_ns() // 1000)
        records = read(db, until_us - 7 * asked.weeks * DAY_US, until_us)
        report = _of_node(measure(records), asked.node)
        if asked.replay:
            proposed = {
                one.node: one.proposal.threshold_x10
                for one in report.nodes
                if one.proposal.action is not Action.NONE and one.proposal.threshold_x10 is not None
            }
            try:
                replay = replayed(db, records, proposed)
            except ValueError as error:
                raise ConfigError(f"the store cannot be replayed: {error}") from None
    if asked.as_json:
        given = {"report": report} if replay is None else {"report": report, "replay": replay}
        print(msgspec.json.encode(given).decode())
    else:
        for line in tune_table.lines(report, replay):
            print(line)


def _of_node(report: TuningReport, node: str | None) -> TuningReport:
    if node is None:
        return report
    return msgspec.structs.replace(report, nodes=(_found(report, node),))


def _found(report: TuningReport, node: str) -> NodeQuiet:
    for one in report.nodes:
        if one.node == node:
            return one
    raise ConfigError(f"there is no node {node[:32]!r}")


def _apply(asked: Request, node: str) -> int:
    from gateway.commands import tune_table

    if not asked.reason:
        raise ConfigError(f'give a reason: groundwatch model tune --apply {node} --reason "..."')
    if not 1 <= asked.days <= MAX_DAYS:
        raise ConfigError(f"--days must be 1 to {MAX_DAYS}, for example --days {DEFAULT_DAYS}")
    client = Client(load_config(asked.config).data_dir)
    report = client.get("/tuning", TuningReport, {"weeks": asked.weeks})
    found = _found(report, node)
    proposal = found.proposal
    if proposal.action is Action.NONE or proposal.threshold_x10 is None:
        raise ConfigError(f"no change of {found.node} is proposed: {proposal.why}")
    threshold_x10 = proposal.threshold_x10
    if asked.keep:
        if proposal.action is not Action.RETURN or found.threshold_x10 is None:
            raise ConfigError(f"no tuning of {found.node} is over: leave out --keep")
        threshold_x10 = found.threshold_x10
    lost = 0 if asked.keep else len(proposal.lost)
    if lost != asked.accept_lost:
        raise ConfigError(_refused(found))
    body = TuningBody(
        threshold_x10=threshold_x10,
        reason=asked.reason,
        days=asked.days,
        weeks=asked.weeks,
        accept_lost=asked.accept_lost,
        who=asked.who,
    )
    command = client.post(f"/nodes/{part(found.node)}/tuning", NodeCommand, body)
    command = ended(client, command, quiet=asked.as_json)
    print(msgspec.json.encode(command).decode() if asked.as_json else line_of(command))
    done = command.state is NodeCommandState.DONE
    if done and not asked.as_json:
        print(tune_table.applied(found, threshold_x10, asked.days))
    return 0 if done else 1


def _refused(found: NodeQuiet) -> str:
    from gateway.commands import tune_table

    lost = found.proposal.lost
    if not lost:
        return (
            f"no confirmed detection of {found.node} would have been lost: leave out --accept-lost"
        )
    shown = "; ".join(tune_table.confirmed(one) for one in lost[:_LOST_SHOWN])
    more = f"; and {len(lost) - _LOST_SHOWN} more" if len(lost) > _LOST_SHOWN else ""
    detections = "detection" if len(lost) == 1 else "detections"
    return (
        f"{len(lost)} confirmed {detections} of {found.node} would have been lost ({shown}{more}): "
        f"if that is acceptable, add --accept-lost {len(lost)}"
    )
