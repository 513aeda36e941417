# SPDX-License-Identifier: MIT
"""Ground layer: the usual plan: nodes on a line from west to east, given as one table."""

from sim_hardware.errors import SimError
from sim_hardware.site import NodeSpec, SectorSpec
from sim_hardware.tables import read

_REACH_M = 40.0  # sectors extend this far to either side of the line
_END_M = 20.0
_LINE = {
    "nodes": int,
    "spacing_m": (1.0, 1000.0),
    "sectors": list,
    "board": str,
    "pir_azimuth_deg": (0.0, 360.0),
    "pir_range_m": (0.0, 50.0),
}


def line_of_nodes(table: object) -> tuple[tuple[NodeSpec, ...], tuple[SectorSpec, ...]]:
    """Nodes n01, n02, ... and the sectors that share them out evenly. Raises SimError."""
    values = read(table, _LINE, "line", ("nodes", "spacing_m"))
    count, spacing_m = values["nodes"], float(values["spacing_m"])
    names = values.get("sectors", ["line"])
    if not 1 <= count <= 200:
        raise SimError(f"line.nodes: {count} is outside 1..200")
    if not 1 <= len(names) <= count or not all(isinstance(name, str) for name in names):
        raise SimError("line.sectors: must be names, no more than nodes")
    cuts = [round(count * i / len(names)) for i in range(len(names) + 1)]
    nodes, sectors = [], []
    for name, first, end in zip(names, cuts[:-1], cuts[1:], strict=True):
        for number in range(first, end):
            nodes.append(
                NodeSpec(
                    f"n{number + 1:02d}",
                    number * spacing_m,
                    0.0,
                    name,
                    values.get("board", "pico_w"),
                    float(values.get("pir_azimuth_deg", 90.0)),
                    float(values.get("pir_range_m", 12.0)),
                )
            )
        west_m = (first - 0.5) * spacing_m if first else -_END_M
        east_m = (end - 0.5) * spacing_m if end < count else (count - 1) * spacing_m + _END_M
        corners = ((west_m, -_REACH_M), (east_m, -_REACH_M), (east_m, _REACH_M), (west_m, _REACH_M))
        sectors.append(SectorSpec(name, corners))
    return tuple(nodes), tuple(sectors)
