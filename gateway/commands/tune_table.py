# SPDX-License-Identifier: MIT
"""Commands: the table of `groundwatch model tune`, line by line."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from gateway.tuning.bounds import DAY_US
from gateway.tuning.propose import Action
from gateway.tuning.replay import RemovedDetection, Replayed, ReplayedAlarm
from gateway.tuning.report import ConfirmedDetection, Interval, NodeQuiet, TuningReport

_BUSIEST = 3  # hours of the day of each node
_ROWS = 20  # detections and alarms of a replay
_HEAD = (
    f"{'node':<8} {'threshold':>9} {'listened':>9} {'counts':>8} {'false':>6} {'unconf.':>7} "
    f"{'animal':>6} {'conf.':>6}  {'unwanted per day (95 %)':<24} proposal"
)


def lines(report: TuningReport, replay: Replayed | None = None) -> Iterator[str]:
    """What a person reads."""
    days = (report.until_us - report.from_us) / DAY_US
    yield f"{days:.0f} days until {_time(report.until_us)}; hours of the day in {report.zone}"
    if report.left_out:
        yield f"{report.left_out} stored rows left out: unreadable, or not possible"
    yield _HEAD
    for node in report.nodes:
        yield _row(node)
        yield from _details(node)
    if replay is not None:
        yield from _replay(replay)


def applied(node: NodeQuiet, threshold_x10: int, days: int) -> str:
    """What the node has now, and until when."""
    changed = f"{node.node}: threshold {node.threshold_x10} to {threshold_x10}"
    if threshold_x10 == node.threshold_x10:
        changed = f"{node.node}: threshold {threshold_x10} is kept"
    elif node.proposal.action is Action.RETURN:
        return f"{changed}, the value before the tuning"
    return f"{changed}; in {days} days it is proposed to go back"


def confirmed(one: ConfirmedDetection) -> str:
    """One confirmed detection in words."""
    return f"{one.target} {_time(one.onset_us)}, {one.confidence_pct} %, {one.because}"


def _row(node: NodeQuiet) -> str:
    now = "unknown" if node.threshold_x10 is None else str(node.threshold_x10)
    proposal = node.proposal
    words = proposal.action.value
    if proposal.action is not Action.NONE:
        words = f"{words} to {proposal.threshold_x10}"
    return (
        f"{node.node:<8} {now:>9} {node.listened_h:>7.0f} h {node.quiet_h:>6.0f} h "
        f"{node.false:>6} {node.unconfirmed:>7} {node.animal:>6} {node.confirmed:>6}  "
        f"{_interval(node.per_day, 1):<24} {words}: {proposal.why}"
    )


def _details(node: NodeQuiet) -> Iterator[str]:
    for why, hours in node.excluded_h.items():
        yield f"    {hours:.0f} h do not count: {why}"
    if node.no_exposure:
        yield f"    {node.no_exposure} detections left out: no heartbeat in their hour"
    busiest = sorted(node.rates, key=lambda one: (-one.count, one.hour, one.target))
    for one in busiest[:_BUSIEST]:
        yield (
            f"    {one.hour:02}-{one.hour + 1:02} h  {one.target}: {one.count} detections, "
            f"{_interval(one.per_hour, 3)} per hour"
        )
    if node.tuning is not None:
        by = node.tuning.who or node.tuning.by
        until = "" if node.tuning.until_us is None else f" until {_time(node.tuning.until_us)}"
        yield (
            f"    tuned from {node.tuning.before_x10} to {node.tuning.after_x10} by {by}{until}: "
            f"{node.tuning.reason}"
        )
    proposal = node.proposal
    if proposal.action is Action.NONE:
        return
    if proposal.removed:
        yield f"    of {node.unwanted} unwanted detections {proposal.removed} at most would be gone"
    if proposal.action is Action.LOWER:
        yield "    what was below the present threshold was never sent: the gain is unknown"
    elif not proposal.lost:
        yield "    no confirmed detection would have been lost"
    for lost in proposal.lost:
        yield f"    LOST  {confirmed(lost)}"


def _replay(replay: Replayed) -> Iterator[str]:
    yield ""
    for node, threshold in replay.not_replayed.items():
        yield (
            f"replay of {node} at {threshold}: not possible: what was below the present threshold "
            "was never sent"
        )
    if not replay.thresholds:
        yield "replay: no higher threshold is proposed"
        return
    nodes = ", ".join(f"{node} at {x10}" for node, x10 in replay.thresholds.items())
    yield (
        f"replay of {nodes}: {len(replay.detections)} detections would not have come, and "
        f"{len(replay.alarms)} of {replay.alarms_before} alarms"
    )
    yield from _shown([_detection(one) for one in replay.detections])
    yield from _shown([f"alarm gone  {_alarm(one)}" for one in replay.alarms])
    yield from _shown([f"alarm new   {_alarm(one)}" for one in replay.new_alarms])


def _shown(rows: list[str]) -> Iterator[str]:
    for row in rows[:_ROWS]:
        yield f"    {row}"
    if len(rows) > _ROWS:
        yield f"    and {len(rows) - _ROWS} more: see --json"


def _detection(one: RemovedDetection) -> str:
    because = f" ({one.because})" if one.because else ""
    return (
        f"detection gone  {_time(one.onset_us)}  {one.node}  {one.target} {one.confidence_pct} %  "
        f"{one.label}{because}"
    )


def _alarm(one: ReplayedAlarm) -> str:
    mark = "CONFIRMED  " if one.confirmed else ""
    assessed = ", ".join(one.assessed) or "not stored"
    return f"{mark}{_time(one.raised_us)}  {' '.join(one.nodes)}  {one.target}: {assessed}"


def _interval(found: Interval, digits: int) -> str:
    value, low, high = found
    if value is None:
        return "not measured"
    upper = "?" if high is None else f"{high:.{digits}f}"
    return f"{value:.{digits}f} ({low or 0.0:.{digits}f} to {upper})"


def _time(at_us: int) -> str:
    return f"{datetime.fromtimestamp(at_us / 1e6).astimezone():%Y-%m-%d %H:%M}"
