# SPDX-License-Identifier: MIT
"""Ground room: the TOML description of a simulated site, read strictly.

Unknown keys, wrong types and values out of range raise SimError with one line that names them.
"""

import math
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sim_hardware.errors import SimError
from sim_hardware.site import NodeSpec, SectorSpec
from sim_hardware.world.ambient import Weather
from sim_hardware.world.soil import SOILS

CLASSES = ("person", "group", "animal", "vehicle", "digging")
_MAX_NODES = 1000
Table = dict[str, Any]


@dataclass(frozen=True)
class ActorSpec:
    """Somebody or something on a path, once or every `every_s` seconds."""

    id: str
    class_name: str
    path: tuple[tuple[float, float], ...]
    start_s: float = 0.0
    every_s: float = 0.0
    speed_m_s: float = 1.4
    count: int = 1
    cadence_hz: float = 0.0  # 0: drawn per pass
    heel: float = 0.0  # heel pulse as a share of body weight; 0: drawn per pass
    alternate: bool = False  # every second pass goes the other way
    mass_kg: float = 60.0
    gait: str = "walk"
    level_nm_s: float = 8000.0  # vehicle: rms in 8..60 Hz at 10 m
    stay_s: float = 60.0  # digging: how long


@dataclass(frozen=True)
class Scenario:
    """Everything a World needs but its seed."""

    name: str
    nodes: tuple[NodeSpec, ...]
    sectors: tuple[SectorSpec, ...] = ()
    actors: tuple[ActorSpec, ...] = ()
    weather: Weather = Weather()
    soil: str = "loam"
    excess_loss_db: tuple[float, float] = (0.0, 12.0)
    coupling_db: float = 3.0
    knocks_per_h: float = 0.0
    pir_false_per_h: float = 0.0


_ZERO_UP = (0.0, math.inf)
_NODE = {
    "id": str,
    "sector": str,
    "board": str,
    "x_m": (-1e5, 1e5),
    "y_m": (-1e5, 1e5),
    "pir_azimuth_deg": (0.0, 360.0),
    "pir_range_m": (0.0, 50.0),
}
_ACTOR = {
    "id": str,
    "class": str,
    "path": list,
    "start_s": _ZERO_UP,
    "every_s": _ZERO_UP,
    "speed_m_s": (0.05, 60.0),
    "count": int,
    "cadence_hz": (0.0, 6.0),
    "heel": (0.0, 1.0),
    "alternate": bool,
    "mass_kg": (0.1, 8000.0),
    "gait": str,
    "level_nm_s": _ZERO_UP,
    "stay_s": _ZERO_UP,
}
_WEATHER = {
    "level_nm_s": (0.0, 1e6),
    "drift_db": (0.0, 20.0),
    "wind_m_s": (0.0, 40.0),
    "rain_mm_h": (0.0, 200.0),
    "knocks_per_h": (0.0, 3600.0),
    "pir_false_per_h": (0.0, 3600.0),
}
_GROUND = {"soil": str, "excess_loss_db": list, "coupling_db": (0.0, 20.0)}


def _read(table: object, rules: dict[str, Any], where: str, required: tuple[str, ...]) -> Table:
    if not isinstance(table, dict):
        raise SimError(f"{where}: must be a table")
    for key, value in table.items():
        rule = rules.get(key)
        if rule is None:
            raise SimError(f"{where}: unknown key {key!r}; known: {', '.join(sorted(rules))}")
        if isinstance(rule, tuple):
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise SimError(f"{where}.{key}: must be a number")
            if not rule[0] <= value <= rule[1]:
                raise SimError(f"{where}.{key}: {value} is outside {rule[0]:g}..{rule[1]:g}")
        elif not isinstance(value, rule) or (rule is int and isinstance(value, bool)):
            raise SimError(f"{where}.{key}: must be {rule.__name__}")
    for key in required:
        if key not in table:
            raise SimError(f"{where}: {key} is missing")
    return table


def _points(value: object, where: str) -> tuple[tuple[float, float], ...]:
    if not isinstance(value, list) or not value or len(value) > 1000:
        raise SimError(f"{where}: must be a list of [x_m, y_m]")
    points = []
    for point in value:
        good = isinstance(point, list) and len(point) == 2
        if not good or not all(isinstance(v, int | float) and math.isfinite(v) for v in point):
            raise SimError(f"{where}: {point!r} is no [x_m, y_m]")
        points.append((float(point[0]), float(point[1])))
    return tuple(points)


def _list(data: Table, key: str) -> list[Any]:
    value = data.get(key, [])
    if not isinstance(value, list):
        raise SimError(f"{key}: write it as [[{key}]]")
    return value


def _node(table: object, where: str) -> NodeSpec:
    return NodeSpec(**_read(table, _NODE, where, ("id", "x_m", "y_m", "sector")))


def _actor(table: object, where: str) -> ActorSpec:
    values = dict(_read(table, _ACTOR, where, ("id", "class", "path")))
    values["class_name"] = values.pop("class")
    values["path"] = _points(values["path"], f"{where}.path")
    actor = ActorSpec(**values)
    if actor.class_name not in CLASSES:
        raise SimError(f"{where}.class: {actor.class_name!r} is none of {', '.join(CLASSES)}")
    if actor.gait not in ("walk", "trot"):
        raise SimError(f"{where}.gait: {actor.gait!r} is neither walk nor trot")
    if not 1 <= actor.count <= 50:
        raise SimError(f"{where}.count: {actor.count} is outside 1..50")
    if actor.class_name != "digging" and len(actor.path) < 2:
        raise SimError(f"{where}.path: needs two points or more")
    return actor


def parse(text: str, name: str = "scenario") -> Scenario:
    """Read a scenario from TOML text."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SimError(f"{name}: {error}") from error
    tops = {"site": dict, "ground": dict, "ambient": dict, "node": list, "sector": list}
    _read(data, {**tops, "actor": list}, name, ("site", "node"))
    site = _read(data["site"], {"name": str}, "site", ("name",))
    ground = dict(_read(data.get("ground", {}), _GROUND, "ground", ()))
    weather = dict(_read(data.get("ambient", {}), _WEATHER, "ambient", ()))
    nodes = tuple(_node(t, f"node {i + 1}") for i, t in enumerate(_list(data, "node")))
    if not 1 <= len(nodes) <= _MAX_NODES or len({n.id for n in nodes}) != len(nodes):
        raise SimError(f"{name}: needs 1..{_MAX_NODES} nodes with different ids")
    if ground.get("soil", "loam") not in SOILS:
        raise SimError(f"ground.soil: {ground['soil']!r} is none of {', '.join(SOILS)}")
    loss = ground.pop("excess_loss_db", [0.0, 12.0])
    if len(loss) != 2 or not all(isinstance(v, int | float) for v in loss) or loss[0] > loss[1]:
        raise SimError("ground.excess_loss_db: must be [least, most]")
    sectors = []
    for i, table in enumerate(_list(data, "sector")):
        where = f"sector {i + 1}"
        values = _read(table, {"id": str, "polygon": list}, where, ("id", "polygon"))
        sectors.append(SectorSpec(values["id"], _points(values["polygon"], f"{where}.polygon")))
    return Scenario(
        name=site["name"],
        nodes=nodes,
        sectors=tuple(sectors),
        actors=tuple(_actor(t, f"actor {i + 1}") for i, t in enumerate(_list(data, "actor"))),
        knocks_per_h=weather.pop("knocks_per_h", 0.0),
        pir_false_per_h=weather.pop("pir_false_per_h", 0.0),
        weather=Weather(**weather),
        excess_loss_db=(float(loss[0]), float(loss[1])),
        **ground,
    )


def load(path: Path) -> Scenario:
    """Read a scenario file, or one of the built-in names such as `demo`."""
    if not path.suffix and not path.exists():
        path = Path(__file__).parent.parent / "scenarios" / f"{path.name}.toml"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SimError(f"cannot read scenario {path}: {error}") from error
    return parse(text, path.stem)
