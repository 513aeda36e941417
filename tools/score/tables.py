# SPDX-License-Identifier: MIT
"""Score: the figures as tables, for a terminal and as Markdown for the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

Figure = Mapping[str, Any]
MARKS = ("<!-- scores begin -->", "<!-- scores end -->")


@dataclass(frozen=True)
class Sheet:
    """One table: a title, a heading for each column, rows of text."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def percent(figure: Figure) -> str:
    """A share with its interval: `96.0 % (92.1-98.4)`."""
    if figure["value"] is None:
        return "-"
    return f"{100 * figure['value']:.1f} % ({100 * figure['low']:.1f}-{100 * figure['high']:.1f})"


def per_day(figure: Figure) -> str:
    """A rate with its interval: `0.50 (0.01-2.79)`."""
    if figure["value"] is None:
        return "-"
    high = "inf" if figure["high"] is None else f"{figure['high']:.2f}"
    return f"{figure['value']:.2f} ({figure['low']:.2f}-{high})"


def sheets(score: Figure) -> list[Sheet]:
    """All tables of a score, in reading order."""
    return [
        _goals(score),
        _audible(score),
        _rings(score),
        _false(score),
        _alarms(score),
        _errors(score),
        _confusion(score),
        _alarm_confusion(score),
        _reliability(score),
        _roc(score),
    ]


def _chance(row: Figure) -> str:
    at_most = row["by_chance_at_most"]
    return "-" if at_most is None else f"<= {100 * at_most:.1f} %"


def _goals(score: Figure) -> Sheet:
    rows = [tuple(row.values()) for row in score["goals"]]
    heads = ("figure", "goal", "measured (95 %)", "of", "verdict")
    return Sheet("Goals", heads, tuple(rows))


def _audible(score: Figure) -> Sheet:
    rows = [
        (r["class"], r["condition"], f"{r['detected']}/{r['passes']}", percent(r["pd"]), _chance(r))
        for r in score["pd_of_audible"]
    ]
    heads = ("class", "condition", "detected", "Pd (95 %)", "by chance")
    return Sheet("Audible passes within 50 m, one node", heads, tuple(rows))


def _rings(score: Figure) -> Sheet:
    rows = [
        (
            r["class"],
            r["condition"],
            r["ring"],
            f"{r['detected']}/{r['passes']}",
            percent(r["pd"]),
            _chance(r),
        )
        for r in score["pd_by_ring"]
    ]
    heads = ("class", "condition", "closest approach", "detected", "Pd (95 %)", "by chance")
    return Sheet("All passes by distance, one node", heads, tuple(rows))


def _false(score: Figure) -> Sheet:
    rows = [
        (
            r["condition"],
            str(r["events"]),
            f"{r['node_days']:.2f}",
            per_day(r["per_day"]),
            str(alarms["events"]),
            f"{alarms['days']:.2f}",
            per_day(alarms["per_day"]),
        )
        for r, alarms in zip(score["false_detections"], score["false_alarms"], strict=True)
    ]
    heads = (
        "condition",
        "false detections",
        "quiet node-days",
        "per node-day (95 %)",
        "false alarms",
        "quiet line-days",
        "per day (95 %)",
    )
    return Sheet("False detections and false alarms", heads, tuple(rows))


def _alarms(score: Figure) -> Sheet:
    rows = [
        (
            r["class"],
            r["condition"],
            f"{r['alarmed']}/{r['crossings']}",
            percent(r["share"]),
            f"{r['audible_alarmed']}/{r['audible']}",
            percent(r["audible_share"]),
        )
        for r in score["crossings_alarmed"]
    ]
    heads = ("class", "condition", "alarmed", "share (95 %)", "of those audible", "share (95 %)")
    title = "Crossings of the line of nodes that raised an alarm"
    later = score["answered"]["near_node_named_later"]
    if later:
        title += (
            f"; {later} of {score['answered']['actors']} answered named a node within reach later"
        )
    return Sheet(title, heads, tuple(rows))


def _errors(score: Figure) -> Sheet:
    named = (
        ("node's first report after audible, s", "report_after_audible_s"),
        ("node's first report after audible within 30 m, s", "report_after_near_s"),
        ("alarm after audible anywhere, s", "alarm_after_audible_s"),
        ("alarm after audible within 30 m of a node, s", "alarm_after_near_s"),
        ("direction off, degrees", "direction_off_deg"),
        ("speed off, share of the true one", "speed_off_share"),
        ("location off, m, when the alarm is raised", "location_off_m"),
        ("location off, m, each report inside the nodes' area", "place_off_m"),
        ("location off, m, each report in a calibrated cell", "cell_place_off_m"),
        ("place of a walker off, m, each report", "walker_place_off_m"),
        ("the same, where nodes enclose an area", "walker_place_enclosed_off_m"),
        ("its 95 % ellipse, m, geometric mean of the half axes", "walker_ellipse_m"),
    )
    rows = []
    for name, key in named:
        figure = score[key]
        p50, p95 = ("-" if figure[k] is None else f"{figure[k]:.2f}" for k in ("p50", "p95"))
        rows.append((name, str(figure["count"]), p50, p95))
    return Sheet("Time and accuracy", ("figure", "count", "P50", "P95"), tuple(rows))


def _alarm_confusion(score: Figure) -> Sheet:
    given = score["alarm_confusion"]
    title = "Class of the alarm (columns) of each audible crossing (rows)"
    if given["macro_f1"] is not None:
        title += f"; macro-F1 of the wanted classes {given['macro_f1']:.2f}"
    return _matrix(title, given)


def _confusion(score: Figure) -> Sheet:
    given = score["confusion"]
    title = "Class reported (columns) by true class (rows), by event"
    if given["macro_f1"] is not None:
        title += f"; macro-F1 {given['macro_f1']:.2f} (unclassified counts as nothing)"
    return _matrix(title, given)


def _matrix(title: str, given: Mapping[str, Any]) -> Sheet:
    rows = [
        (name, *map(str, row), f"{given['f1'][name]:.2f}")
        for name, row in zip(given["classes"], given["matrix"], strict=True)
        if name in given["f1"]
    ]
    return Sheet(title, ("truth", *given["classes"], "F1"), tuple(rows))


def _reliability(score: Figure) -> Sheet:
    given = score["reliability"]
    rows = [
        (
            f"{r['from_pct']}-{r['from_pct'] + 10} %",
            f"{r['events']:.1f}",
            f"{100 * r['stated']:.1f} %",
            f"{r['wanted_events']:.1f}",
            percent(r["wanted"]),
        )
        for r in given["rows"]
    ]
    title = "Confidence stated of an event, and how often the event was wanted"
    if given["brier"] is not None:
        title += f"; Brier {given['brier']:.3f}, ECE {given['ece']:.3f}"
    return Sheet(title, ("confidence", "events", "stated", "wanted", "share (95 %)"), tuple(rows))


def _roc(score: Figure) -> Sheet:
    rows = [
        (
            str(r["confidence_pct"]),
            per_day(r["false_detections_per_node_day"]),
            percent(r["pd_audible_persons"]),
            per_day(r["false_alarms_per_day"]),
            percent(r["crossings_alarmed"]),
        )
        for r in score["roc"]
    ]
    heads = (
        "minimum confidence, %",
        "nodes: false per day",
        "audible persons",
        "alarms: false per day",
        "crossings alarmed",
    )
    title = "Effect of a higher confidence threshold for nodes or for alarms"
    return Sheet(title, heads, tuple(rows))


def show(score: Figure, console: Console) -> None:
    """Print all tables that have rows."""
    for sheet in sheets(score):
        if not sheet.rows:
            continue
        table = Table(*sheet.heads, title=sheet.title, title_justify="left")
        for row in sheet.rows:
            table.add_row(*row)
        console.print(table)


def markdown(score: Figure) -> str:
    """The same as Markdown."""
    parts = [f"### {sheet.title}\n\n{_table(sheet)}" for sheet in sheets(score) if sheet.rows]
    return "\n\n".join(parts) + "\n"


def between_marks(text: str, score: Figure | None) -> str | None:
    """`text` with the goals' table between its MARKS replaced; None when it has no such pair.

    Without a score the text as it is.
    """
    head, begin, rest = text.partition(MARKS[0])
    _old, end, tail = rest.partition(MARKS[1])
    if not (begin and end):
        return None
    if score is None:
        return text
    return f"{head}{begin}\n{_table(_goals(score))}\n{end}{tail}"


def _table(sheet: Sheet) -> str:
    rule = "|".join("---" for _ in sheet.heads)
    return "\n".join([_row(sheet.heads), f"|{rule}|", *map(_row, sheet.rows)])


def _row(words: tuple[str, ...]) -> str:
    return "| " + " | ".join(words) + " |"
