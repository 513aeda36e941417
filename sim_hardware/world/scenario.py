# SPDX-License-Identifier: MIT
"""Ground layer: the TOML description of a simulated site, read strictly.

Unknown keys, wrong types and values out of range raise SimError with one line that names them.
"""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from sim_hardware.errors import SimError
from sim_hardware.fault_tables import NodeFaults, read_fault_tables
from sim_hardware.site import ORIGIN, NodeSpec, OriginSpec, SectorSpec, identifier
from sim_hardware.tables import ZERO_UP, Table, one_of, points, read, rows
from sim_hardware.world.ambient import Weather
from sim_hardware.world.gait import GAITS
from sim_hardware.world.kinds import KINDS
from sim_hardware.world.layout import line_of_nodes
from sim_hardware.world.nuisance import NuisanceSpec
from sim_hardware.world.soil import SOILS, Soil
from sim_hardware.world.sources import NUISANCES, ON_A_PATH
from sim_hardware.world.warmth import PirWeather
from sim_hardware.world.weather import Change

CLASSES = ("person", "group", "animal", "vehicle", "digging")
SCENARIOS = Path(__file__).parent.parent / "scenarios"
_MAX_NODES = 1000


@dataclass(frozen=True)
class ActorSpec:
    """An actor on a path, once or every `every_s` seconds.

    `kind` names an entry of KINDS; its figures apply where the fields here are 0 or empty.
    """

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
    mass_kg: float = 0.0
    gait: str = ""
    level_nm_s: float = 0.0  # vehicle: rms in 8..60 Hz at 10 m; 0: of its kind, or 8000
    stay_s: float = 60.0  # digging: how long
    kind: str = ""
    spread_m: float = 0.0  # a group or herd: deviation to either side of the path


@dataclass(frozen=True)
class Scenario:
    """The whole input of a World except its seed."""

    name: str
    nodes: tuple[NodeSpec, ...]
    sectors: tuple[SectorSpec, ...] = ()
    actors: tuple[ActorSpec, ...] = ()
    weather: Weather = Weather()
    soil: str | Soil = "loam"
    excess_loss_db: tuple[float, float] = (0.0, 12.0)
    coupling_db: float = 3.0
    knocks_per_h: float = 0.0
    pir_false_per_h: float = 0.0
    about: str = ""
    nuisances: tuple[NuisanceSpec, ...] = ()
    node_faults: tuple[NodeFaults, ...] = ()
    pir_weather: PirWeather = field(default_factory=PirWeather)
    recording: Path | None = None  # real ground in place of the simulated ambient
    origin: OriginSpec | None = None

    @property
    def earth(self) -> Soil:
        """The soil; a scenario file gives its name."""
        return self.soil if isinstance(self.soil, Soil) else SOILS[self.soil]


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
    "kind": str,
    "path": list,
    "start_s": ZERO_UP,
    "every_s": ZERO_UP,
    "speed_m_s": (0.05, 60.0),
    "count": int,
    "cadence_hz": (0.0, 6.0),
    "heel": (0.0, 1.0),
    "alternate": bool,
    "mass_kg": (0.1, 8000.0),
    "gait": str,
    "level_nm_s": ZERO_UP,
    "stay_s": ZERO_UP,
    "spread_m": (0.0, 100.0),
}
_AMBIENT = {
    "level_nm_s": (0.0, 1e6),
    "drift_db": (0.0, 20.0),
    "wind_m_s": (0.0, 40.0),
    "rain_mm_h": (0.0, 200.0),
    "wind_db_per_m_s": (0.0, 5.0),
    "day_night_db": (0.0, 40.0),
    "start_h": (0.0, 24.0),
    "knocks_per_h": (0.0, 3600.0),
    "pir_false_per_h": (0.0, 3600.0),
    "recording": str,
}
_WEATHER = {"t_s": ZERO_UP, "wind_m_s": (0.0, 40.0), "rain_mm_h": (0.0, 200.0)}
_PIR = {
    "air_c": (-40.0, 60.0),
    "sun_per_h": (0.0, 3600.0),
    "plants_per_h": (0.0, 3600.0),
    "small_animals_per_h": (0.0, 3600.0),
    "insects_per_h": (0.0, 3600.0),
}
_NUISANCE = {
    "id": str,
    "kind": str,
    "x_m": (-1e5, 1e5),
    "y_m": (-1e5, 1e5),
    "path": list,
    "start_s": ZERO_UP,
    "every_s": ZERO_UP,
    "level_nm_s": (0.0, 1e6),
    "speed_m_s": (0.0, 100.0),
    "height_m": (0.0, 5000.0),
    "hz": (0.0, 120.0),
    "on_s": ZERO_UP,
    "off_s": ZERO_UP,
    "per_h": (0.0, 3600.0),
}
_GROUND = {"soil": str, "excess_loss_db": list, "coupling_db": (0.0, 20.0)}
_TOPS = {
    "site": dict,
    "ground": dict,
    "ambient": dict,
    "pir": dict,
    "line": dict,
    "node": list,
    "sector": list,
    "actor": list,
    "weather": list,
    "nuisance": list,
    "fault": list,
}


def _node(table: object, where: str) -> NodeSpec:
    values = read(table, _NODE, where, ("id", "x_m", "y_m", "sector"))
    identifier(values, "id", where)
    return NodeSpec(**values)


def _actor(table: object, where: str) -> ActorSpec:
    values = dict(read(table, _ACTOR, where, ("id", "path")))
    kind = KINDS.get(one_of(values.get("kind", ""), ("", *KINDS), f"{where}.kind"))
    if "class" not in values:
        if kind is None:
            raise SimError(f"{where}: class is missing")
        values["class"] = kind.class_name
    values["class_name"] = one_of(values.pop("class"), CLASSES, f"{where}.class")
    if kind is not None:
        if not _suits(kind.class_name, values["class_name"]):
            raise SimError(f"{where}: a {values['kind']} is no {values['class_name']}")
        values.setdefault("speed_m_s", kind.speed_m_s)
        values.setdefault("count", 4 if kind.class_name == "group" else 1)
    values["path"] = points(values["path"], f"{where}.path")
    actor = ActorSpec(**values)
    if actor.gait:
        one_of(actor.gait, GAITS, f"{where}.gait")
    if not 1 <= actor.count <= 50:
        raise SimError(f"{where}.count: {actor.count} is outside 1..50")
    if actor.class_name != "digging" and len(actor.path) < 2:
        raise SimError(f"{where}.path: needs two points or more")
    return actor


def _suits(kind_class: str, class_name: str) -> bool:
    people = ("person", "group")
    return kind_class == class_name or (kind_class in people and class_name in people)


def _nuisance(table: object, where: str) -> NuisanceSpec:
    values = dict(read(table, _NUISANCE, where, ("id", "kind")))
    one_of(values["kind"], NUISANCES, f"{where}.kind")
    values["path"] = points(values["path"], f"{where}.path") if "path" in values else ()
    if values["kind"] in ON_A_PATH and len(values["path"]) < 2:
        raise SimError(f"{where}.path: needs two points or more")
    if 0 < values.get("every_s", 0) < 1:
        raise SimError(f"{where}.every_s: must be 1 s or more")
    return NuisanceSpec(**values)


def _changes(data: Table) -> tuple[Change, ...]:
    found = []
    for i, table in enumerate(rows(data, "weather")):
        values = read(table, _WEATHER, f"weather {i + 1}", ("t_s", "wind_m_s", "rain_mm_h"))
        found.append(Change(**values))
        if i and found[i].t_s <= found[i - 1].t_s:
            raise SimError(f"weather {i + 1}.t_s: must rise")
    return tuple(found)


def _sector(table: object, where: str) -> SectorSpec:
    values = read(table, {"id": str, "polygon": list}, where, ("id", "polygon"))
    name = identifier(values, "id", where)
    return SectorSpec(name, points(values["polygon"], f"{where}.polygon"))


def _plan(data: Table, name: str) -> tuple[tuple[NodeSpec, ...], tuple[SectorSpec, ...]]:
    nodes = tuple(_node(t, f"node {i + 1}") for i, t in enumerate(rows(data, "node")))
    sectors = tuple(_sector(t, f"sector {i + 1}") for i, t in enumerate(rows(data, "sector")))
    if "line" in data:
        more, areas = line_of_nodes(data["line"])
        nodes, sectors = nodes + more, sectors + areas
    if not 1 <= len(nodes) <= _MAX_NODES or len({n.id for n in nodes}) != len(nodes):
        raise SimError(f"{name}: needs 1..{_MAX_NODES} nodes with different ids")
    return nodes, sectors


def _origin(site: Table) -> OriginSpec | None:
    given = {key: float(site[key]) for key in ORIGIN if key in site}
    if given and not {"latitude", "longitude"} <= given.keys():
        raise SimError("site: an origin has latitude and longitude")
    return OriginSpec(**given) if given else None


def parse(text: str, name: str = "scenario", folder: Path | None = None) -> Scenario:
    """Read a scenario from TOML text; the path of its recording is relative to `folder`."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SimError(f"{name}: {error}") from error
    read(data, _TOPS, name, ("site",))
    site = read(data["site"], {"name": str, "about": str, **ORIGIN}, "site", ("name",))
    ground = dict(read(data.get("ground", {}), _GROUND, "ground", ()))
    ambient = dict(read(data.get("ambient", {}), _AMBIENT, "ambient", ()))
    nodes, sectors = _plan(data, name)
    one_of(ground.get("soil", "loam"), tuple(SOILS), "ground.soil")
    loss = ground.pop("excess_loss_db", [0.0, 12.0])
    if len(loss) != 2 or not all(isinstance(v, int | float) for v in loss) or loss[0] > loss[1]:
        raise SimError("ground.excess_loss_db: must be [least, most]")
    recording = ambient.pop("recording", None)
    actors = tuple(_actor(t, f"actor {i + 1}") for i, t in enumerate(rows(data, "actor")))
    nuisances = tuple(
        _nuisance(t, f"nuisance {i + 1}") for i, t in enumerate(rows(data, "nuisance"))
    )
    for what, ids in (("actor", [a.id for a in actors]), ("nuisance", [n.id for n in nuisances])):
        if len(set(ids)) != len(ids):
            raise SimError(f"{what}: every id may be used once")
    return Scenario(
        name=identifier(site, "name", "site"),
        nodes=nodes,
        sectors=sectors,
        actors=actors,
        knocks_per_h=ambient.pop("knocks_per_h", 0.0),
        pir_false_per_h=ambient.pop("pir_false_per_h", 0.0),
        weather=Weather(**ambient, changes=_changes(data)),
        excess_loss_db=(float(loss[0]), float(loss[1])),
        about=site.get("about", ""),
        nuisances=nuisances,
        node_faults=read_fault_tables(rows(data, "fault"), [node.id for node in nodes], "fault"),
        pir_weather=PirWeather(**read(data.get("pir", {}), _PIR, "pir", ())),
        recording=(folder or Path()) / recording if recording else None,
        origin=_origin(site),
        **ground,
    )


def load(path: Path) -> Scenario:
    """Read a scenario file, or one of the built-in names such as `demo`."""
    if not path.suffix and not path.exists():
        built_in = SCENARIOS / f"{path.name}.toml"
        if not built_in.is_file():
            raise SimError(f"no scenario {path}; groundwatch sim list describes those there are")
        path = built_in
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SimError(f"cannot read scenario {path}: {error}") from error
    return parse(text, path.stem, path.parent)
