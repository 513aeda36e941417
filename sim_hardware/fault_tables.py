# SPDX-License-Identifier: MIT
"""Board layer, simulated: reads and writes the declared faults of nodes.

A scenario holds them in [[fault]] tables, the truth of a take in "faults"; both have one format. A
run applies them through `sim_hardware.sandbox.Faults`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sim_hardware.errors import SimError
from sim_hardware.parts.geophone_line import KINDS
from sim_hardware.sandbox import INTERVALS, Faults, Intervals
from sim_hardware.tables import ZERO_UP, Table, pair, read

_FAULTS_MAX = 1000
_TIMES_MAX = 1000
_BATTERY_MV = (0.0, 6000.0)
_CABLE_CUT = "deaf_from_s"  # the key in scenario files and stored takes
_RULES = {
    "node": str,
    "dead_from_s": ZERO_UP,
    _CABLE_CUT: ZERO_UP,
    **dict.fromkeys(INTERVALS, list),
    "flickers": list,
    "tamper_edges_s": list,
    "flash_cuts_s": list,
    "battery_mv": _BATTERY_MV,
    "battery_curve": list,
    "battery_mohm": (0.0, 100_000.0),
    "geophone_faults": list,
    "loss_pct": (0.0, 90.0),
    "clock_ppm": (-500.0, 500.0),
}


@dataclass(frozen=True)
class NodeFaults:
    """The faults of one node. From `cable_cut_s` its geophone cable is cut, and its ground velocity
    in the take is 0. A geophone fault of the run alone does not change the take."""

    node: str
    faults: Faults = field(default_factory=Faults)
    cable_cut_s: float | None = None


def _read_table(table: object, where: str) -> NodeFaults:
    """One fault table. Raises SimError."""
    values = dict(read(table, _RULES, where, ("node",)))
    node, cable_cut_s = values.pop("node"), values.pop(_CABLE_CUT, None)
    for key in (*INTERVALS, "battery_curve"):
        if key in values:
            values[key] = _rising_pairs(values[key], f"{where}.{key}")
    for key in INTERVALS:
        for begin_s, end_s in values.get(key, ()):
            if end_s < begin_s:
                raise SimError(f"{where}.{key}: ends at {end_s:g} s, before it begins")
    if "flickers" in values:
        if "power_off_s" in values:
            raise SimError(f"{where}: give flickers or power_off_s, not both")
        values["power_off_s"] = _flickers(values.pop("flickers"), f"{where}.flickers")
    for _, mv in values.get("battery_curve", ()):
        if not _BATTERY_MV[0] <= mv <= _BATTERY_MV[1]:
            raise SimError(f"{where}.battery_curve: {mv:g} mV is outside 0..{_BATTERY_MV[1]:g}")
    for key in ("tamper_edges_s", "flash_cuts_s"):
        if key in values:
            values[key] = _rising(values[key], f"{where}.{key}")
    for key in ("battery_mv", "battery_mohm", "loss_pct"):
        if key in values:
            values[key] = int(values[key])
    if "geophone_faults" in values:
        values["geophone_faults"] = _kinds(values["geophone_faults"], f"{where}.geophone_faults")
    elif cable_cut_s is not None:
        values["geophone_faults"] = ((float(cable_cut_s), "cut"),)
    return NodeFaults(str(node), Faults(**values), cable_cut_s)


def read_fault_tables(tables: object, nodes: Iterable[str], where: str) -> tuple[NodeFaults, ...]:
    """All fault tables of a scenario or a take. Raises SimError."""
    if not isinstance(tables, list) or len(tables) > _FAULTS_MAX:
        raise SimError(f"{where}: must be a list of up to {_FAULTS_MAX} tables")
    found = tuple(_read_table(table, f"{where} {i + 1}") for i, table in enumerate(tables))
    known = set(nodes)
    for one in found:
        if one.node not in known:
            raise SimError(f"{where}: {one.node!r} is no node of the site")
        known.discard(one.node)  # one table for each
    return found


def _rising(value: object, where: str) -> tuple[float, ...]:
    if not isinstance(value, list) or len(value) > _TIMES_MAX or not all(map(_is_time, value)):
        raise SimError(f"{where}: must be a list of times")
    if any(later < earlier for earlier, later in zip(value[:-1], value[1:], strict=True)):
        raise SimError(f"{where}: must rise")
    return tuple(float(v) for v in value)


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e9


def _rising_pairs(value: list[Any], where: str) -> tuple[tuple[float, float], ...]:
    if not 1 <= len(value) <= _TIMES_MAX:
        raise SimError(f"{where}: must hold 1..{_TIMES_MAX} pairs")
    pairs = tuple(pair(one, where, "pair of numbers") for one in value)
    _rising([first for first, _ in pairs], where)
    return pairs


def _flickers(value: list[Any], where: str) -> Intervals:
    """Entries [from, count, on, off]: power fails `count` times for `off` s, `on` s apart."""
    pairs: list[tuple[float, float]] = []
    for one in value:
        if not isinstance(one, list) or len(one) != 4 or not all(map(_is_time, one)):
            raise SimError(f"{where}: must hold [from_s, count, on_s, off_s]")
        at_s, count, on_s, off_s = one
        if count != int(count) or not 1 <= count <= _TIMES_MAX or on_s <= 0 or off_s <= 0:
            raise SimError(f"{where}: count, on_s and off_s must be above 0")
        for number in range(int(count)):
            begin_s = at_s + number * (on_s + off_s)
            pairs.append((begin_s, begin_s + off_s))
    if len(pairs) > _TIMES_MAX:
        raise SimError(f"{where}: more than {_TIMES_MAX} in all")
    _rising([first for first, _ in pairs], where)
    return tuple(pairs)


def _kinds(value: list[Any], where: str) -> tuple[tuple[float, str], ...]:
    # The list is empty, or [time, kind] pairs in order of time.
    if len(value) > _TIMES_MAX:
        raise SimError(f"{where}: must hold up to {_TIMES_MAX} pairs")
    for one in value:
        if not isinstance(one, list) or len(one) != 2 or one[1] not in KINDS:
            raise SimError(f"{where}: must hold [time, kind] pairs, kinds {', '.join(KINDS)}")
    times = _rising([one[0] for one in value], where)
    return tuple(zip(times, (str(one[1]) for one in value), strict=True))


def to_tables(node_faults: Iterable[NodeFaults]) -> list[Table]:
    """The format of read_fault_tables, for truth.json."""
    tables = []
    for one in node_faults:
        table: Table = {"node": one.node}
        plain = Faults()
        for name, value in vars(one.faults).items():
            if value != getattr(plain, name):
                table[name] = _listed(value)
        if one.cable_cut_s is not None:
            table[_CABLE_CUT] = one.cable_cut_s
        tables.append(table)
    return tables


def _listed(value: object) -> object:
    return [_listed(one) for one in value] if isinstance(value, tuple) else value


def faults_of(truth: Mapping[str, Any] | None, nodes: Iterable[str]) -> dict[str, Faults]:
    """The faults that the truth of a take declares, by node. Raises SimError."""
    if truth is None or "faults" not in truth:
        return {}
    return {
        one.node: one.faults for one in read_fault_tables(truth["faults"], nodes, "truth.faults")
    }
