# SPDX-License-Identifier: MIT
# Board layer, simulated: the parts of this one node, made once from its settings by run_node.

import json

import simcharge
import simclock
import simirq
import simpower
from parts.ads1220 import Ads1220, ReadyLine
from parts.comparator import Comparator
from parts.edges import EdgeList
from parts.feed import Feed
from parts.geophone_line import GeophoneLine
from parts.rows import BOARDS
from parts.rp2_dma import Block
from parts.rp2040_adc import READINGS, CurveChannel, GeophoneChannel, LevelChannel

settings = None
wiring = None
pir = None
tamper = None
ads1220 = None
comparator = None  # of a board that it can wake
adc_block = None  # of an RP2040 or RP2350 whose converter is simulated reading by reading
reset_cause = "power_on"
_radio_us = 0  # when the radio was last started

_adc = {}


def build(chosen, cause):
    # Raises KeyError for a board without wiring, OSError when the feed cannot be opened.
    global settings, wiring, pir, tamper, ads1220, comparator, adc_block, reset_cause
    settings = chosen
    wiring = BOARDS[chosen.board]
    reset_cause = cause
    simcharge.choose(chosen.board)
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
    if wiring.wake is not None:
        comparator = Comparator(simclock.now, line, chosen.seed)
    _adc[wiring.battery] = LevelChannel(chosen.battery_mv * 100 // wiring.divider_x100)
    if chosen.battery_points:
        points = [(t_us, mv * 100 // wiring.divider_x100) for t_us, mv in chosen.battery_points]
        _adc[wiring.battery] = CurveChannel(simclock.now, points)
    for gpio, part in wiring.analog:
        module = __import__("parts." + part, None, None, ("Channel",))
        _adc[gpio] = module.Channel(simclock.now, chosen.seed)
    if chosen.oversampled and simcharge.port("is_rp2"):
        parts = {gpio - 26: part for gpio, part in _adc.items()}
        adc_block = Block(wiring.chip.name, simclock.now, parts)
    simpower.watch(chosen, leave)
    if chosen.count_samples:
        simclock.at(simclock.now(), _print_samples)
    if chosen.end_s is not None:
        end_us = int(chosen.end_s * 1_000_000)
        if end_us < simclock.now():
            _end(end_us)  # a boot that starts after the end
        simclock.at(end_us, _end)


def input_part(gpio):
    # The part that drives an input pin, or None where nothing is wired.
    if gpio == wiring.pir:
        return pir
    if gpio == wiring.tamper:
        return tamper
    if gpio == wiring.wake and comparator is not None:
        return comparator
    if gpio == wiring.ready and ads1220 is not None:
        return ReadyLine(ads1220)
    return None


def adc_channel(gpio):
    # The converter channel of a pin; an unwired one reads 0 V.
    channel = _adc.get(gpio)
    if channel is None:
        channel = _adc[gpio] = LevelChannel(0)
    return channel


def is_faulty(name, t_us):
    # Whether one of the [from, to] faults of that name is on.
    for begin_us, end_us in settings.faults_us[name]:
        if begin_us <= t_us < end_us:
            return True
    return False


def radio_is_out(t_us):
    return is_faulty("outages", t_us)


def names_are_away(t_us):
    # No server answers for names.
    return is_faulty("dns_away", t_us) or radio_is_out(t_us) or radio_is_dead(t_us)


def radio_is_dead(t_us):
    # Joined, but nothing passes: a radio that hangs, until it is started again.
    for begin_us, end_us in settings.faults_us["dead_radio"]:
        if begin_us <= t_us < end_us and begin_us > _radio_us:
            return True
    return False


def start_radio():
    global _radio_us
    _radio_us = simclock.now()
    draw_current()


def draw_current():
    # The radio draws its peak current. With too high an inner resistance the supply falls below
    # the brown-out level, and the board resets.
    sag_mv = settings.battery_mohm * simcharge.port("radio_ma") // 1000
    if simpower.battery_mv(settings, simclock.now()) - sag_mv < simcharge.port("brownout_mv"):
        print("sim: supply too low for the radio: reset")
        leave(simclock.EXIT_RESET, "power_on")


def leave(code, cause, t_us=None):
    # Stops the node; the next run of run_node reads the cause, and in virtual time the time.
    if settings.costs is not None:
        simcharge.totals["timer_lost"] = simirq.lost
        simcharge.totals["uptime_us"] = simclock.uptime_us()
        simcharge.totals["cause"] = cause
        with open(settings.costs, "a") as file:
            file.write(json.dumps(simcharge.totals) + "\n")
    with open(settings.exit, "w") as file:
        file.write(json.dumps({"cause": cause, "t_us": simclock.now() if t_us is None else t_us}))
    simclock.leave(code)


def _print_samples(t_us):
    # Due: one each 4 ms from the first on, as the node samples at 250 Hz.
    channel = _adc[wiring.geophone]
    if channel.reads:
        due = 1 + (t_us - channel.first_us) // 4_000
        print("sim: samples due=%d read=%d" % (due, channel.reads // READINGS))
    return t_us + 1_000_000


def _end(_t_us):
    leave(simclock.EXIT_END, "end")
