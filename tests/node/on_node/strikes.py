# SPDX-License-Identifier: MIT
# One case of what a node tells of single steps: strikes.py CASE; prints "ok" last.

import sys
from array import array

from ugs.detect.picker import Picker
from ugs.pump import BLOCK
from ugs.strikes import Strikes
from ugs.wire import codec


class Part:
    pass


class Ear:
    # A detector as ugs.strikes knows it: a real picker, fed with a pulse at each of these uptimes.

    def __init__(self, at_ms, loud=4000):
        self.picker = Picker()
        self.report = Part()
        self.report.class_id, self.report.onset_ms = 1, 1_000
        self.opens_ms = 0
        self.heard_ms = 0
        self._at_ms = at_ms
        self._loud = loud
        self._fine = array("i", [0] * BLOCK)

    def is_open(self):
        return self.heard_ms >= self.opens_ms

    def hear(self, until_ms):
        while self.heard_ms + 128 <= until_ms:
            for i in range(BLOCK):
                self.heard_ms += 4
                self._fine[i] = self._loud if self.heard_ms in self._at_ms else 1
            self.picker.pick(self._fine, 100)


def make_strikes(at_ms, error_ms=3):
    ear, clock = Ear(at_ms), Part()
    clock.quality_ms = lambda: error_ms
    clock.utc_ms = lambda uptime_ms: uptime_ms + 1_800_000_000_000
    return ear, Strikes(ear, clock)


def asked(ear, strikes, until_ms):
    # What comes of asking every 128 ms, with when.
    said = []
    while ear.heard_ms + 128 <= until_ms:
        ear.hear(ear.heard_ms + 128)
        values = strikes.next(ear.heard_ms)
        if values is not None:
            said.append((ear.heard_ms, values))
    return said


def gaps(times):
    return [times[i + 1] - times[i] for i in range(len(times) - 1)]


def strikes_are_told_once_with_the_time_on_the_wall():
    steps = [600 * n for n in range(1, 40)]
    ear, strikes = make_strikes(steps)
    ear.opens_ms = 5_000
    said = asked(ear, strikes, 20_000)
    told = []
    for at_ms, values in said:
        assert values["t_ms"] == 1_000 and values["error_ms"] == 3
        late_ms, levels = values["strikes"][::2], values["strikes"][1::2]
        assert late_ms[0] == 0 and set(levels) == {100} and len(levels) <= 8
        told += [values["utc_ms"] - 1_800_000_000_000 + late for late in late_ms]
        assert at_ms - told[-1] < 1_000
        codec.encode(bytearray(128), "strikes", values)
    # the newest eight when it opened, then all, each to the sample
    assert told[0] == 2_400 and told == steps[3 : 3 + len(told)] and len(told) == 29, told
    # a detection goes first; then at the most one every two seconds
    times = [at_ms for at_ms, _ in said]
    assert times[0] >= 7_000
    assert min(gaps(times)) >= 2_000


def strikes_that_nobody_took_grow_old():
    ear, strikes = make_strikes([600 * n for n in range(1, 60)])
    asked(ear, strikes, 6_000)
    ear.hear(30_000)  # the link was down
    (values,) = [values for _, values in asked(ear, strikes, 30_200)]
    first_ms = values["utc_ms"] - 1_800_000_000_000
    assert len(values["strikes"]) == 16 and first_ms >= 24_000
    ear.hear(60_000)  # nobody steps any more
    assert asked(ear, strikes, 70_000) == []


def strikes_by_a_clock_that_is_not_good_are_not_told():
    for error_ms in (None, 11):
        ear, strikes = make_strikes([600 * n for n in range(1, 60)], error_ms)
        ear.opens_ms = 4_000
        wants = []
        while ear.heard_ms < 200_000:
            assert asked(ear, strikes, ear.heard_ms + 128) == []
            if strikes.wants_time(ear.heard_ms):
                wants.append(ear.heard_ms)
        assert len(wants) == 4 and min(gaps(wants)) >= 15_000, wants


def strikes_of_a_vehicle_or_an_animal_are_nobodys_steps():
    for class_id in (0, 3, 4):
        ear, strikes = make_strikes([600 * n for n in range(1, 60)])
        ear.report.class_id = class_id
        assert asked(ear, strikes, 30_000) == [] and not strikes.wants_time(30_000)


globals()[sys.argv[1]]()
print("ok")
