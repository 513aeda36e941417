# SPDX-License-Identifier: MIT
"""Connectors: Home Assistant: views of the picture as its devices and their states. Pure.

Discovery: https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload. A topic's
value is JSON; None takes the retained message back. Suppressed and masked alarms switch nothing on.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from gateway.model.alarm import AlarmKind

# Node states in which it is connected (gateway.model.view).
_CONNECTED = frozenset({"normal", "detecting", "fault"})
_SEEN_STEP_US = 60_000_000  # when a node was last received is shown to the minute
_ON = {True: "ON", False: "OFF"}
_ORIGIN = {"name": "Groundwatch"}

Topics = dict[str, dict[str, Any] | None]


class Names:
    """Topics and unique ids of one site. They never change: entities are known by them."""

    def __init__(self, site: str, prefix: str) -> None:
        self.site = site
        self.base = f"groundwatch/ha/{site}"
        self.status = f"{self.base}/status"
        self.command = f"{self.base}/command"
        self.states = f"{self.base}/+/+"
        self._prefix = prefix

    def device(self, thing: str) -> str:
        """The topic that announces a device ("site", "sector_west", "node_n01")."""
        return f"{self._prefix}/device/groundwatch_{self.site}_{thing}/config"

    def state(self, kind: str, name: str) -> str:
        """Of "node" and "sector"; the site's is `site_state`."""
        return f"{self.base}/{kind}/{name}"

    @property
    def site_state(self) -> str:
        """Of the site as a whole."""
        return f"{self.base}/site"

    def key(self, topic: str) -> tuple[str, str] | None:
        """(kind, id) of a state topic; None for others."""
        parts = topic.removeprefix(f"{self.base}/").split("/")
        if not topic.startswith(f"{self.base}/") or len(parts) != 2:
            return None
        return (parts[0], parts[1]) if parts[0] in ("node", "sector") else None


def node_topics(names: Names, name: str, view: Any) -> Topics:
    """Of one node; `view` is a NodeView, or None when the node is gone. The state comes first: what
    is announced has one."""
    state, device = names.state("node", name), names.device(f"node_{name}")
    if view is None:
        return {device: None, state: None}
    seen_us = view.at_us
    volts = {"device_class": "voltage", "unit_of_measurement": "V"}
    radio = {"device_class": "signal_strength", "unit_of_measurement": "dBm"}
    parts = {
        "connected": ("binary_sensor", "Connected", {"device_class": "connectivity"}),
        "tamper": ("binary_sensor", "Tamper", {"device_class": "tamper"}),
        "battery_v": ("sensor", "Battery", volts),
        "rssi_dbm": ("sensor", "Signal", radio),
        "seen": ("sensor", "Last received", {"device_class": "timestamp"}),
    }
    return {
        state: {
            "connected": _ON[view.state in _CONNECTED],
            "tamper": _ON["tamper" in view.conditions],
            "battery_v": None if view.battery_mv is None else view.battery_mv / 1000,
            "rssi_dbm": view.rssi_dbm,
            "seen": None if seen_us is None else _iso(seen_us - seen_us % _SEEN_STEP_US),
            "attributes": _place(view) | {"sector": view.sector, "state": view.state},
        },
        device: _device(names, f"node_{name}", state, parts),
    }


def sector_topics(names: Names, name: str, view: Any, alarms: Iterable[Any]) -> Topics:
    """Of one sector; `view` is None when it is gone, `alarms` are all AlarmViews."""
    state, device = names.state("sector", name), names.device(f"sector_{name}")
    if view is None:
        return {device: None, state: None}
    here = [one for one in alarms if name in one.sectors and _is_intrusion(one)]
    newest = max(here, key=lambda one: one.changed_us, default=None)
    parts = {"presence": ("binary_sensor", "Presence", {"device_class": "motion"})}
    return {
        state: {"presence": _ON[bool(here)], "attributes": _alarm(newest)},
        device: _device(names, f"sector_{name}", state, parts),
    }


def site_topics(names: Names, alarms: Iterable[Any], may_acknowledge: bool) -> Topics:
    """Of the site as a whole. The button acknowledges the alarm that waits longest."""
    waiting = sorted(
        (one for one in alarms if one.unacknowledged), key=lambda one: (one.raised_us, one.id)
    )
    parts: dict[str, tuple[str, str, dict[str, str]]] = {
        "alarm": ("binary_sensor", "Alarm", {"device_class": "safety"}),
        "waiting": ("sensor", "Alarms to acknowledge", {}),
    }
    device = _device(names, "site", names.site_state, parts)
    if may_acknowledge:
        device["cmps"]["acknowledge"] = {
            "platform": "button",
            "unique_id": f"groundwatch_{names.site}_site_acknowledge",
            "name": "Acknowledge the oldest alarm",
            "command_topic": names.command,
            # Each press has a number of its own, so that a copy of it is known.
            "command_template": "oldest {{ (as_timestamp(now()) * 1000) | int }}",
        }
    return {
        names.site_state: {
            "alarm": _ON[bool(waiting)],
            "waiting": len(waiting),
            "attributes": _alarm(waiting[0] if waiting else None),
        },
        names.device("site"): device,
    }


def parse_command(payload: bytes) -> tuple[int | None, str]:
    """(alarm id, press): `oldest`, `oldest <number of the press>`, or the number of an alarm, which
    is its own press. Raises ValueError."""
    if len(payload) > 64:
        raise ValueError("a command is 64 bytes at most")
    words = payload.decode("ascii").split(" ")
    if words[0] == "oldest" and len(words) == 1:
        return None, ""
    if words[0] == "oldest" and len(words) == 2 and words[1].isdigit():
        return None, words[1]
    if len(words) == 1 and words[0].isdigit() and len(words[0]) < 19:
        return int(words[0]), f"alarm {int(words[0])}"
    raise ValueError("not a command")


def oldest(alarms: Iterable[Any]) -> int | None:
    """The alarm that waits longest for acknowledgement."""
    waiting = ((one.raised_us, one.id) for one in alarms if one.unacknowledged)
    return min(waiting, default=(0, None))[1]


def _is_intrusion(alarm: Any) -> bool:
    is_quiet = alarm.masked or alarm.suppressed
    return alarm.kind is AlarmKind.INTRUSION and alarm.active and not is_quiet


def _device(
    names: Names, thing: str, state: str, parts: dict[str, tuple[str, str, dict[str, str]]]
) -> dict[str, Any]:
    device: dict[str, Any] = {
        "identifiers": [f"groundwatch_{names.site}_{thing}"],
        "name": f"Groundwatch {names.site} {thing.replace('_', ' ', 1)}",
        "manufacturer": "Groundwatch",
    }
    if thing != "site":
        device["via_device"] = f"groundwatch_{names.site}_site"
    return {
        "device": device,
        "origin": _ORIGIN,
        "availability": [{"topic": names.status}],
        "state_topic": state,
        "qos": 1,
        "cmps": {
            key: {
                "platform": platform,
                "unique_id": f"groundwatch_{names.site}_{thing}_{key}",
                "name": title,
                "value_template": "{{ value_json." + key + " }}",
                "json_attributes_topic": state,
                "json_attributes_template": "{{ value_json.attributes | tojson }}",
                **extra,
            }
            for key, (platform, title, extra) in parts.items()
        },
    }


def _alarm(alarm: Any) -> dict[str, Any]:
    """Attributes of one alarm: what, where, how sure, and of when."""
    if alarm is None:
        return {}
    return {
        "alarm": alarm.id,
        "kind": alarm.kind.value,
        "class": None if alarm.target is None else alarm.target.value,
        "confidence": alarm.confidence,
        "direction_deg": alarm.direction_deg,
        "speed_m_s": alarm.speed_m_s,
        "raised_at": _iso(alarm.raised_us),
        **_place(alarm),
    }


def _place(view: Any) -> dict[str, Any]:
    """Home Assistant's map needs the names latitude, longitude and gps_accuracy."""
    return {
        "x_m": view.x_m,
        "y_m": view.y_m,
        "latitude": view.latitude,
        "longitude": view.longitude,
        "error_m": view.error_m,
        "gps_accuracy": view.error_m,
        "at": None if view.at_us is None else _iso(view.at_us),
    }


def _iso(utc_us: int) -> str:
    return datetime.fromtimestamp(utc_us // 1_000_000, UTC).isoformat()
