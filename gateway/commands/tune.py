# SPDX-License-Identifier: MIT
"""Commands: `groundwatch tune`: each node's own quiet, proposals for its threshold, a replay."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import msgspec

from gateway.api.schema.bodies import TuningBody
from gateway.commands import tune_table
from gateway.commands.client import Client, part
from gateway.commands.node_command import ended, line_of
from gateway.config import add_option, load_config
from gateway.errors import ConfigError
from gateway.model.actions.node_command import NodeCommand, NodeCommandState
from gateway.store.choose import place, reading
from gateway.tuning.bounds import DAY_US, DEFAULT_DAYS, DEFAULT_WEEKS, MAX_DAYS, MAX_WEEKS
from gateway.tuning.measure import measure
from gateway.tuning.propose import Action
from gateway.tuning.records import newest_us, read
from gateway.tuning.replay import Replayed, replayed
from gateway.tuning.report import NodeQuiet, TuningReport

_LOST_SHOWN = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument(
        "--store",
        type=place,
        help="a gateway's groundwatch.db, or the URL of PostgreSQL; it is only read, and the weeks "
        "end with its newest heartbeat (default: the configured store, and now)",
    )
    parser.add_argument(
        "--weeks", type=int, default=DEFAULT_WEEKS, help=f"so many (default {DEFAULT_WEEKS})"
    )
    parser.add_argument("--node", help="of this node only")
    parser.add_argument(
        "--replay",
        action="store_true",
        help="the detections and alarms of these weeks that would not have come",
    )
    parser.add_argument(
        "--apply",
        metavar="NODE",
        help="as a supervisor: have the running gateway send what is proposed for the node",
    )
    parser.add_argument("--reason", help="for the audit (--apply)")
    parser.add_argument(
        "--who", default="", help="who confirms, where a login is shared, for the audit (--apply)"
    )
    parser.add_argument(
        "--days",
        type=int,
        default=DEFAULT_DAYS,
        help=f"after which it is proposed to go back (--apply; default {DEFAULT_DAYS})",
    )
    parser.add_argument(
        "--keep",
        action="store_true",
        help="keep a tuning that is over for --days more, in place of going back (--apply)",
    )
    parser.add_argument(
        "--accept-lost",
        type=int,
        default=0,
        metavar="N",
        help="the number of confirmed detections that would have been lost (--apply)",
    )
    add_option(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """0 when done, 1 when the node has not changed its threshold. Raises GroundwatchError for what
    the user can mend."""
    if not 1 <= args.weeks <= MAX_WEEKS:
        raise ConfigError(f"--weeks must be 1 to {MAX_WEEKS}, for example --weeks 4")
    if args.apply is None:
        if args.reason is not None or args.who or args.accept_lost or args.keep:
            raise ConfigError("--reason, --who, --keep, --accept-lost belong to --apply NODE")
        return _show(args)
    if args.store is not None or args.replay or args.node is not None:
        raise ConfigError("--apply asks the running gateway: leave out --store, --replay, --node")
    return _apply(args)


def _show(args: argparse.Namespace) -> int:
    where: Path | str = load_config(args.config).store if args.store is None else args.store
    now_us = time.time_ns() // 1000
    replay: Replayed | None = None
    with reading(where) as db:
        until_us = now_us if args.store is None else newest_us(db, now_us)
        records = read(db, until_us - 7 * args.weeks * DAY_US, until_us)
        report = _of_node(measure(records), args.node)
        if args.replay:
            proposed = {
                one.node: one.proposal.threshold_x10
                for one in report.nodes
                if one.proposal.action is not Action.NONE and one.proposal.threshold_x10 is not None
            }
            try:
                replay = replayed(db, records, proposed)
            except ValueError as error:
                raise ConfigError(f"the store cannot be replayed: {error}") from None
    if args.json:
        given = {"report": report} if replay is None else {"report": report, "replay": replay}
        print(msgspec.json.encode(given).decode())
    else:
        for line in tune_table.lines(report, replay):
            print(line)
    return 0


def _of_node(report: TuningReport, node: str | None) -> TuningReport:
    if node is None:
        return report
    return msgspec.structs.replace(report, nodes=(_found(report, node),))


def _found(report: TuningReport, node: str) -> NodeQuiet:
    for one in report.nodes:
        if one.node == node:
            return one
    raise ConfigError(f"there is no node {node[:32]!r}")


def _apply(args: argparse.Namespace) -> int:
    if not args.reason:
        raise ConfigError(f'give a reason: groundwatch tune --apply {args.apply} --reason "..."')
    if not 1 <= args.days <= MAX_DAYS:
        raise ConfigError(f"--days must be 1 to {MAX_DAYS}, for example --days {DEFAULT_DAYS}")
    client = Client(load_config(args.config).data_dir)
    report = client.get("/tuning", TuningReport, {"weeks": args.weeks})
    found = _found(report, args.apply)
    proposal = found.proposal
    if proposal.action is Action.NONE or proposal.threshold_x10 is None:
        raise ConfigError(f"no change of {found.node} is proposed: {proposal.why}")
    threshold_x10 = proposal.threshold_x10
    if args.keep:
        if proposal.action is not Action.RETURN or found.threshold_x10 is None:
            raise ConfigError(f"no tuning of {found.node} is over: leave out --keep")
        threshold_x10 = found.threshold_x10
    lost = 0 if args.keep else len(proposal.lost)
    if lost != args.accept_lost:
        raise ConfigError(_refused(found))
    body = TuningBody(
        threshold_x10=threshold_x10,
        reason=args.reason,
        days=args.days,
        weeks=args.weeks,
        accept_lost=args.accept_lost,
        who=args.who,
    )
    command = client.post(f"/nodes/{part(found.node)}/tuning", NodeCommand, body)
    command = ended(client, command, quiet=args.json)
    print(msgspec.json.encode(command).decode() if args.json else line_of(command))
    done = command.state is NodeCommandState.DONE
    if done and not args.json:
        print(tune_table.applied(found, threshold_x10, args.days))
    return 0 if done else 1


def _refused(found: NodeQuiet) -> str:
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
