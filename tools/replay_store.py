# SPDX-License-Identifier: MIT
"""Replay of a store: the same alarms, byte for byte, or those of other rules."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, get_type_hints

from msgspec import UNSET, Meta, Struct, UnsetType, defstruct
from msgspec.structs import asdict

from gateway.config import load_config
from gateway.config.alarms import (
    ArmingTables,
    ConfirmationTables,
    EscalationTables,
    alarm_config,
    alarm_rules,
)
from gateway.config.reading import read_toml
from gateway.config.site import load_site
from gateway.errors import ConfigError
from gateway.fusion.rules import Rules
from gateway.monitor.compare import alarms_of, counterpart
from gateway.monitor.policy import Policy
from gateway.monitor.replay import Verdict, begins_late, replay, replay_with
from gateway.store import sql_replay
from gateway.store.choose import reading
from gateway.store.interface import HistoryRow
from tools.errors import UserError

# [rules]: any of the numbers of fusion's rules.
_Changes = defstruct(
    "_Changes",
    [
        (
            name,
            (Annotated[int, Meta(ge=0, le=1 << 53)] | UnsetType)
            if kind is int
            else (Annotated[float, Meta(ge=-1e7, le=1e7)] | UnsetType),
            UNSET,
        )
        for name, kind in get_type_hints(Rules).items()
        if kind in (int, float)
    ],
    frozen=True,
    forbid_unknown_fields=True,
)


class RulesFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file of --rules; without [[arming]], [[confirmation]] and [[escalation]] those in force
    stay."""

    rules: _Changes = _Changes()  # type: ignore[valid-type]  # a Struct made above
    arming: ArmingTables | None = None
    escalation: EscalationTables | None = None
    confirmation: ConfirmationTables | None = None


def run(store: Path | str, config: Path, rules: Path | None, as_json: bool) -> int:
    """0 when all is the same (or with --rules), 1 when not."""
    loaded = load_config(config)
    site = load_site(loaded.site)
    then = Policy(site, Rules(), alarm_rules(loaded.alarms, site))
    try:
        with reading(store) as db:
            if not sql_replay.holds_log(db):
                raise UserError(
                    "the store cannot be replayed: it is of an earlier version, which kept "
                    "no log; entries of this version can be replayed"
                )
            if rules is None:
                lines = list(_same(replay(db, then), begins_late(db)))
            else:
                was, now = replay_with(db, _other(rules, then))
                lines = list(_compared(was, now, sql_replay.alarms_erased_us(db)))
    except ValueError as error:
        raise UserError(f"the store cannot be replayed: {error}") from None
    for line in lines:
        print(json.dumps(line) if as_json else _words(line))
    return 0 if lines[-1].get("identical", True) else 1


def _same(verdicts: Iterator[Verdict], late: bool) -> Iterator[dict[str, Any]]:
    """`late`: the log begins within a run whose start was erased."""
    count, changes, identical, same_orders = 0, 0, True, True
    erased, from_us = 0, None
    for verdict in verdicts:
        count, changes = count + 1, changes + verdict.changes
        identical &= verdict.identical
        erased += verdict.erased
        from_us = verdict.start_us if from_us is None else from_us
        same_orders &= verdict.same_policy
        line: dict[str, Any] = {
            "type": "run",
            "start_us": verdict.start_us,
            "changes": verdict.changes,
            "identical": verdict.identical,
            "same_rules": verdict.same_policy,
            "erased": verdict.erased,
        }
        if not verdict.identical:
            line["stored"] = verdict.expected and verdict.expected._asdict()
            line["replayed"] = verdict.given and verdict.given._asdict()
        yield line
    if late:
        yield {"type": "left_out", "before_us": from_us}
    yield {
        "type": "summary",
        "from_us": from_us,
        "runs": count,
        "changes": changes,
        "identical": identical,
        "same_rules": same_orders,
        "erased": erased,
    }


def _compared(
    was: Sequence[HistoryRow], now: Sequence[HistoryRow], erased_us: int
) -> Iterator[dict[str, Any]]:
    """Pairs of recorded and replayed alarms, and those without a counterpart. Alarms without a
    change since `erased_us` are left out: retention erased the recorded ones."""
    old, new = (alarms_of(_since(rows, erased_us)) for rows in (was, now))
    both = 0
    for about, alarm in new.items():
        if counterpart(about, old) is None:
            yield {"type": "alarm", "only": "with these rules", **alarm}
        else:
            both += 1
    gone = 0
    for about, alarm in old.items():
        if counterpart(about, new) is None:
            gone += 1
            yield {"type": "alarm", "only": "as recorded", **alarm}
    yield {
        "type": "summary",
        "from_us": erased_us,
        "alarms_then": len(old),
        "alarms_now": len(new),
        "both": both,
        "only_now": len(new) - both,
        "only_then": gone,
    }


def _since(rows: Sequence[HistoryRow], from_us: int) -> list[HistoryRow]:
    young = {row.alarm_id for row in rows if row.at_us >= from_us}
    return [row for row in rows if row.alarm_id in young]


def _other(path: Path, then: Policy) -> Callable[[Policy], Policy]:
    """A function that replaces the rules in force by those of a file. Raises ConfigError."""
    file = read_toml(path, RulesFile)
    changed = {name: value for name, value in asdict(file.rules).items() if value is not UNSET}
    given = None
    tables = (file.arming, file.escalation, file.confirmation)
    if any(one is not None for one in tables):
        try:
            config = alarm_config(file.arming or (), file.escalation or (), file.confirmation or ())
        except ValueError as error:
            raise ConfigError(f"{path}: {error}") from None
        given = alarm_rules(config, then.site)

    def change(policy: Policy) -> Policy:
        alarms = policy.alarms
        if given is not None:
            # A sector may be newer than the replayed moment.
            schedules = {s: one for s, one in given.schedules.items() if s in alarms.nodes_of}
            confirmed = {s: one for s, one in given.confirmed.items() if s in alarms.nodes_of}
            alarms = replace(
                alarms, schedules=schedules, escalation=given.escalation, confirmed=confirmed
            )
        return Policy(policy.site, replace(policy.rules, **changed), alarms)

    return change


def _words(line: dict[str, Any]) -> str:
    match line["type"]:
        case "run":
            same = "the same" if line["identical"] else "DIFFERENT"
            rules = "" if line["same_rules"] else "; site or rules were others then"
            gone = f"; {line['erased']} changes of erased alarms not compared"
            rules += gone if line["erased"] else ""
            return f"run of {line['start_us']}: {line['changes']} changes, {same}{rules}"
        case "left_out":
            if line["before_us"] is None:
                return "nothing can be compared: the start of the only run was erased by retention"
            return (
                f"left out: what came before {line['before_us']}; the start of that run was erased"
                " by retention"
            )
        case "alarm":
            nodes = " ".join(line["nodes"])
            return f"{line['only']}: {line['kind']} {nodes}: {'; '.join(line['reasons'])}"
        case _:
            return "  ".join(f"{key} {value}" for key, value in line.items() if key != "type")
