# SPDX-License-Identifier: MIT
# Room "board", simulated: the parts of this one node, made once from its settings by run_node.

import json

import simclock
import simwiring
from parts.ads1220 import Ads1220, ReadyLine
from parts.edges import EdgeList
from parts.feed import Feed
from parts.geophone_line import GeophoneLine
from parts.rp2040_adc import CurveChannel, GeophoneChannel, LevelChannel

settings = None
wiring = None
pir = None
tamper = None
ads1220 = None
reset_cause = "power_on"

_adc = {}


def build(chosen, cause):
    # Raises KeyError for a board without wiring, OSError when the feed cannot be opened.
    global settings, wiring, pir, tamper, ads1220, reset_cause
    settings = chosen
    wiring = simwiring.BOARDS[chosen.board]
    reset_cause = cause
    pir = EdgeList(chosen.pir_edges_us)
    if chosen.pir_file is not None:
        pir.follow(chosen.pir_file)
    tamper = EdgeList(chosen.tamper_edges_us)
    feed = Feed(chosen.feed, chosen.fs_hz, int(chosen.feed_t0_s * 1_000_000), chosen.feed_ring)
    line = GeophoneLine(feed, chosen.geophone_faults_us, chosen.seed)
    if wiring.front_end == "rp2040_adc":
        _adc[wiring.geophone] = GeophoneChannel(simclock.now, line, chosen.seed)
    else:
        ads1220 = Ads1220(line, chosen.seed)
    _adc[wiring.battery] = LevelChannel(chosen.battery_mv * 100 // wiring.divider_x100)
    if chosen.battery_points:
        points = [(t_us, mv * 100 // wiring.divider_x100) for t_us, mv in chosen.battery_points]
        _adc[wiring.battery] = CurveChannel(simclock.now, points)
    if chosen.end_s is not None:
        simclock.at(int(chosen.end_s * 1_000_000), _end)


def input_part(gpio):
    # The part that drives an input pin, or None where nothing is wired.
    if gpio == wiring.pir:
        return pir
    if gpio == wiring.tamper:
        return tamper
    if gpio == wiring.ready and ads1220 is not None:
        return ReadyLine(ads1220)
    return None


def adc_channel(gpio):
    # The converter channel of a pin; an unwired one reads 0 V.
    channel = _adc.get(gpio)
    if channel is None:
        channel = _adc[gpio] = LevelChannel(0)
    return channel


def radio_is_out(t_us):
    return _is_in(settings.outages_us, t_us)


def names_are_away(t_us):
    return _is_in(settings.dns_away_us, t_us)


def _is_in(pairs_us, t_us):
    for begin_us, end_us in pairs_us:
        if begin_us <= t_us < end_us:
            return True
    return False


def leave(code, cause):
    # Stops the node; the next run of run_node reads why, and in virtual time when.
    with open(settings.exit, "w") as file:
        file.write(json.dumps({"cause": cause, "t_us": simclock.now()}))
    simclock.leave(code)


def _end(_t_us):
    leave(simclock.EXIT_END, "end")
