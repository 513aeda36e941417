# SPDX-License-Identifier: MIT
"""Configuration: site.toml becomes the site of the model."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, field

from gateway.config.fields import Identifier, Link, Metres, Text, identifier_meta
from gateway.config.reading import convert, parse_toml, read_file
from gateway.errors import ConfigError
from gateway.model.place.area import is_area
from gateway.model.place.geodesy import (
    MAX_ERROR_M,
    MAX_HEIGHT_M,
    MIN_HEIGHT_M,
    Origin,
    PositionError,
    to_local,
)
from gateway.model.place.site import RESERVED_IDS, Ground, Node, Sector, Site

MAX_GAIN_DB = 40
MAX_PIR_RANGE_M = 100
_LOAM = Ground()
_AREA = "polygon = [[0, 0], [50, 0], [50, 30]]"
_AREA_EXAMPLE = f"e.g. {_AREA}"
_SINCE = Meta(examples=["2026-11-01"], description="When the battery was put in, UTC.")

Latitude = Annotated[float, Meta(ge=-90, le=90, examples=[48.1374], description="WGS 84.")]
Longitude = Annotated[float, Meta(ge=-180, le=180, examples=[11.5755], description="WGS 84.")]
Height = Annotated[
    float,
    Meta(ge=MIN_HEIGHT_M, le=MAX_HEIGHT_M, examples=[520.0], description="Over the ellipsoid."),
]


def _error_meta(example: float, description: str) -> Meta:
    return Meta(
        gt=0,
        le=MAX_ERROR_M,
        examples=[example],
        description=description,
        extra={"wants": f"must be more than 0 and at most {MAX_ERROR_M:g}"},
    )


class SiteTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[site]: its name, and where on Earth its local (0, 0) is."""

    name: Annotated[str, identifier_meta("north_fence")]
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    height_m: Height | None = None
    error_m: (
        Annotated[
            float,
            _error_meta(5.0, "One standard deviation of the origin along each axis; 5 if absent."),
        ]
        | None
    ) = None

    def __post_init__(self) -> None:
        self.origin()

    def origin(self) -> Origin | None:
        """None where none is given. Raises ValueError."""
        given = (self.latitude, self.longitude, self.height_m, self.error_m)
        if given == (None, None, None, None):
            return None
        if self.latitude is None:
            raise ValueError("latitude is missing, e.g. latitude = 48.1374")
        if self.longitude is None:
            raise ValueError("longitude is missing, e.g. longitude = 11.5755")
        return Origin(
            self.latitude,
            self.longitude,
            0.0 if self.height_m is None else self.height_m,
            5.0 if self.error_m is None else self.error_m,
        )


class GroundTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[ground]: what a walk test found; left out, that of loam (gateway/model/place/site.py)."""

    exponent: Annotated[float, Meta(ge=0.2, le=3.0)] = _LOAM.exponent
    absorption_per_m: Annotated[float, Meta(ge=0.0, le=0.5)] = _LOAM.absorption_per_m
    absorption_sigma: Annotated[float, Meta(ge=0.05, le=2.0)] = _LOAM.absorption_sigma
    path_db: Annotated[float, Meta(ge=1.0, le=20.0)] = _LOAM.path_db
    walker_db: Annotated[float, Meta(ge=-60.0, le=80.0)] = _LOAM.walker_db
    walker_sigma_db: Annotated[float, Meta(ge=1.0, le=30.0)] = _LOAM.walker_sigma_db
    wave_m_s: Annotated[float, Meta(ge=50.0, le=2000.0)] = _LOAM.wave_m_s
    wave_sigma: Annotated[float, Meta(ge=0.02, le=1.0)] = _LOAM.wave_sigma


class SectorTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[[sector]]: an area with a name; without a polygon it is its nodes."""

    id: Annotated[str, identifier_meta("gate")]
    polygon: Annotated[
        tuple[tuple[Metres, Metres], ...],
        Meta(
            max_length=1000,
            description="Corners, metres east and north of the origin.",
            extra={
                "wants": "must be a list of [x, y] pairs of metres",
                "example": _AREA,
            },
        ),
    ] = ()


class NodeTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[[node]]: placed by x_m and y_m, or by latitude and longitude."""

    id: Identifier
    x_m: Annotated[Metres, Meta(description="East of the origin.")] | None = None
    y_m: Annotated[Metres, Meta(description="North of the origin.")] | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    height_m: Height | None = None
    error_m: (
        Annotated[float, _error_meta(3.0, "Radius that holds the position in 2 of 3 cases.")] | None
    ) = None
    sector: Annotated[str, identifier_meta("gate")] = "site"
    board: Annotated[Text, Meta(examples=["pico_w"])] | None = None
    pir_azimuth_deg: (
        Annotated[
            float,
            Meta(ge=-360, le=360, examples=[90.0], extra={"wants": "must be degrees, -360 to 360"}),
        ]
        | None
    ) = None
    pir_range_m: (
        Annotated[
            float,
            Meta(ge=0, le=MAX_PIR_RANGE_M, examples=[12.0], description="0: it has no PIR."),
        ]
        | None
    ) = None
    gain_db: Annotated[float, Meta(ge=-MAX_GAIN_DB, le=MAX_GAIN_DB, examples=[1.5])] = 0.0
    link: Link = "wifi"
    battery_wh: (
        Annotated[
            float,
            Meta(gt=0, le=100_000, examples=[57.6], description="Of its battery when put in."),
        ]
        | None
    ) = None
    battery_since: Annotated[date, _SINCE] | None = None

    def __post_init__(self) -> None:
        if self.id in RESERVED_IDS:
            raise ValueError(f'id {self.id!r} is a name the broker needs, e.g. id = "n01"')
        by_metres = self.x_m is not None or self.y_m is not None
        by_angles = self.latitude is not None or self.longitude is not None
        if by_metres and by_angles:
            raise ValueError("latitude and x_m are two places; keep one, e.g. x_m = 25.0")
        for key in ("latitude", "longitude") if by_angles else ("x_m", "y_m"):
            if getattr(self, key) is None:
                example = {"latitude": 48.1374, "longitude": 11.5755}.get(key, 25.0)
                raise ValueError(f"{key} is missing, e.g. {key} = {example}")

    def node(self, origin: Origin | None) -> Node:
        """In local metres. Raises ValueError that starts with the key."""
        x_m, y_m = self._place(origin)
        return Node(
            id=self.id,
            x_m=x_m,
            y_m=y_m,
            sector=self.sector,
            board=self.board or "",
            pir_azimuth_deg=self.pir_azimuth_deg,
            pir_range_m=self.pir_range_m,
            gain_db=self.gain_db,
            link=self.link,
            height_m=self.height_m,
            error_m=self.error_m,
            battery_wh=self.battery_wh,
            battery_since_us=None if self.battery_since is None else _start_us(self.battery_since),
        )

    def _place(self, origin: Origin | None) -> tuple[float, float]:
        if self.latitude is None or self.longitude is None:
            assert self.x_m is not None and self.y_m is not None  # __post_init__ looked
            return self.x_m, self.y_m
        if origin is None:
            example = "[site] latitude = 48.1374, longitude = 11.5755"
            raise ValueError(f"latitude needs an origin of the site, e.g. {example}")
        try:
            return to_local(origin, self.latitude, self.longitude, self.height_m)
        except PositionError as error:
            raise ValueError(f"latitude is invalid: {error}, e.g. latitude = 48.1374") from None


def _start_us(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000


class SiteFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """site.toml."""

    site: SiteTable
    ground: GroundTable = field(default_factory=GroundTable)
    sector: tuple[SectorTable, ...] = ()
    # None at first: `groundwatch node flash` adds the first one.
    node: tuple[NodeTable, ...] = ()

    def to_site(self) -> Site:
        """The site of the model. Raises ValueError that starts with the key."""
        origin = self.site.origin()
        sectors: dict[str, Sector] = {}
        for index, one in enumerate(self.sector):
            if one.id in sectors:
                raise ValueError(f'sector[{index}].id {one.id!r} is used twice, e.g. id = "gate2"')
            if one.polygon and not is_area(one.polygon):
                corners = f"sector[{index}].polygon of sector {one.id} has no area"
                raise ValueError(f"{corners}; name three corners or more, {_AREA_EXAMPLE}")
            sectors[one.id] = Sector(one.id, one.polygon)
        nodes: dict[str, Node] = {}
        for index, table in enumerate(self.node):
            if table.id in nodes:
                raise ValueError(f'node[{index}].id {table.id!r} is used twice, e.g. id = "n02"')
            try:
                nodes[table.id] = table.node(origin)
            except ValueError as error:
                raise ValueError(f"node[{index}].{error}") from None
            sectors.setdefault(table.sector, Sector(table.sector))
        ground = Ground(**msgspec.structs.asdict(self.ground))
        site = Site(self.site.name, nodes, sectors, ground, origin)
        _check_near(site)
        return site


def load_site(path: Path) -> Site:
    """Read a site.toml. Raises ConfigError with one line."""
    return read_site(read_file(path), path)


def read_site(raw: bytes, path: Path) -> Site:
    """The site of content that `path` holds or will hold. Raises ConfigError."""
    return site_of(parse_toml(raw, path), path)


def site_of(raw: Mapping[str, Any], path: Path) -> Site:
    """The site of the values in a file. Raises ConfigError."""
    file = convert(raw, SiteFile, str(path), path.parent)
    try:
        return file.to_site()
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from None


def _check_near(site: Site) -> None:
    # What has a place on Earth has one for the map, for partners and for every sector's corner.
    if site.origin is None:
        return
    for node in site.nodes.values():
        if site.latlon(node.x_m, node.y_m, node.height_m) is None:
            raise ValueError(f"node {node.id} is not within 150 km of the site's origin")
    for sector in site.sectors.values():
        if any(site.latlon(*corner) is None for corner in sector.polygon):
            raise ValueError(
                f"sector {sector.id}: polygon is not within 150 km of the site's origin"
            )
