# SPDX-License-Identifier: MIT
# Board layer, simulated: the settings of one simulated node, read strictly from sim.json.

import json

from parts.geophone_line import KINDS


class SettingsError(Exception):
    # One line: the error and the valid values.
    pass


# name: (type, default). The default ... marks a required setting.
_FIELDS = {
    "mode": (str, ...),  # "virtual" or "real"
    "board": (str, ...),  # a name in parts/rows.py
    "feed": (str, ...),  # path of int32 little-endian nm/s at the geophone
    "fs_hz": (int, ...),  # of the feed
    "feed_t0_s": (float, 0.0),  # sim time of the feed's first sample
    "feed_ring": (int, 0),  # samples in a ring feed; 0: a plain file
    "t0_epoch_ms": (int, 1_767_225_600_000),  # UTC of sim time 0
    "start_s": (float, 0.0),  # virtual: sim time of the first power-on
    "end_s": (float, None),  # sim time at which the node is switched off
    "oversampled": (bool, False),  # rp2: readings at the pace of the converter, taken by DMA
    "seed": (int, 0),
    "pir_edges_s": (list, ()),  # the output toggles, starting low
    "pir_file": (str, None),  # more edges, appended while the node runs: int64 microseconds
    "tamper_edges_s": (list, ()),  # the contact toggles, starting closed
    "geophone_faults": (list, ()),  # [time, kind] pairs, see parts/geophone_line.py
    # [from, to] pairs of faults:
    "outages_s": (list, ()),  # no network in range
    "power_off_s": (list, ()),  # no supply
    "wrong_passphrase_s": (list, ()),  # the access point refuses the passphrase
    "dhcp_away_s": (list, ()),  # no address is given
    "dns_away_s": (list, ()),  # no name is resolved, and the look-up waits for it
    "dead_radio_s": (list, ()),  # virtual: joined, but nothing passes until the radio starts again
    "half_open_s": (list, ()),  # virtual: connections that stand at `from` carry nothing any more
    "flash_cuts_s": (list, ()),  # power fails in the first erase or program after each
    "low_memory_s": (list, ()),  # [from, to]: hardly any heap is free
    "battery_mv": (int, 3900),
    "battery_curve": (list, ()),  # [time, mV] points in place of a steady battery
    "battery_mohm": (int, 0),  # inner resistance: what the radio draws makes the supply sag
    "uplinks": (str, None),  # virtual: JSON lines are appended here
    "link_delay_ms": (int, 20),  # virtual: one way
    "clock_ppb": (int, 0),  # virtual: frequency error of the node's crystal
    "loss_pct": (int, 0),  # virtual: share of uplinks whose connection breaks
    # virtual: two ports of this machine. Connections go by real TCP to the first one. The process
    # on the second one gets the time at `stops_s` and before bytes go out (simoutside).
    "outside": (list, ()),
    "stops_s": (list, ()),
    "count_samples": (bool, False),  # prints once a second how often the geophone was read
    "exit": (str, "exit.json"),  # written when the node stops: why and when
    "charges": (str, "none"),  # what work costs: "none", "typical" or "worst" (simcosts)
    "flash": (str, None),  # image of the board's flash; None: the host's folder, without a limit
    "board_heap": (bool, False),  # the node has the heap of its board
    "costs": (str, None),  # JSON lines are appended here: at each end what was charged
}

_PAIRS = (
    "outages",
    "power_off",
    "wrong_passphrase",
    "dhcp_away",
    "dns_away",
    "dead_radio",
    "half_open",
    "low_memory",
)


class Settings:
    def __init__(self, table):
        for name in table:
            if name not in _FIELDS:
                raise SettingsError("unknown setting " + name)
        for name, (kind, default) in _FIELDS.items():
            value = table.get(name, default)
            if value is ...:
                raise SettingsError("setting " + name + " is missing")
            if kind is float and type(value) is int:
                value = float(value)
            if value is not default and type(value) is not kind:
                raise SettingsError("setting %s must be of type %s" % (name, kind.__name__))
            setattr(self, name, value)
        self._check()

    def _check(self):
        if self.mode not in ("virtual", "real"):
            raise SettingsError('mode must be "virtual" or "real"')
        if not 1 <= self.fs_hz <= 10_000:
            raise SettingsError("fs_hz must be 1..10000")
        if self.charges not in ("none", "typical", "worst"):
            raise SettingsError('charges must be "none", "typical" or "worst"')
        if self.mode == "virtual" and self.uplinks is None:
            raise SettingsError("virtual mode needs uplinks, the file to append to")
        self.pir_edges_us = _times_us("pir_edges_s", self.pir_edges_s)
        self.tamper_edges_us = _times_us("tamper_edges_s", self.tamper_edges_s)
        self.flash_cuts_us = _times_us("flash_cuts_s", self.flash_cuts_s)
        self.stops_us = _times_us("stops_s", self.stops_s)
        self.battery_points = []
        for point in self.battery_curve:
            if type(point) is not list or len(point) != 2:
                raise SettingsError("battery_curve must hold [time, mV] pairs")
            self.battery_points.append((_times_us("battery_curve", point[:1])[0], int(point[1])))
        self.geophone_faults_us = []
        for pair in self.geophone_faults:
            if type(pair) is not list or len(pair) != 2 or pair[1] not in KINDS:
                raise SettingsError("geophone_faults must hold [time, kind] pairs")
            self.geophone_faults_us.append((_times_us("geophone_faults", pair[:1])[0], pair[1]))
        self.faults_us = {}
        for name in _PAIRS:
            self.faults_us[name] = [_pair_us(name + "_s", p) for p in getattr(self, name + "_s")]
        self.outages_us = self.faults_us["outages"]


def _pair_us(name, pair):
    if type(pair) is not list or len(pair) != 2:
        raise SettingsError(name + " must hold [from, to] pairs")
    return _times_us(name, pair)


def _times_us(name, times_s):
    times_us = []
    for t_s in times_s:
        if type(t_s) not in (int, float):
            raise SettingsError(name + " must hold numbers of seconds")
        t_us = microseconds(t_s)
        if times_us and t_us < times_us[-1]:
            raise SettingsError(name + " must rise")
        times_us.append(t_us)
    return times_us


def microseconds(t_s):
    # Rounded to the nearest, halves away from zero.
    return int(t_s * 1_000_000 + (0.5 if t_s >= 0 else -0.5))


def load(path):
    try:
        with open(path) as file:
            table = json.load(file)
    except OSError:
        raise SettingsError("cannot read " + path) from None
    except ValueError:
        raise SettingsError(path + " is not JSON") from None
    if type(table) is not dict:
        raise SettingsError(path + " must hold one object")
    return Settings(table)
