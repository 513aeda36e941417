# SPDX-License-Identifier: MIT
# One case of the footfall reports of a node: arrivals.py CASE; prints "ok" last.

import sys
from array import array

from ugs.arrivals import Arrivals
from ugs.detect.picker import Picker
from ugs.sampling import BLOCK
from ugs.wire import codec


class Part:
    pass


class FedDetector:
    # The detector as ugs.arrivals uses it: a real picker, fed with a pulse at each of these times.

    def __init__(self, at_ms, loud=4000):
        self.picker = Picker()
        self.report = Part()
        self.report.class_id, self.report.onset_ms = 1, 1_000
        self.opens_ms = 0
        self.t_ms = 0
        self._at_ms = at_ms
        self._loud = loud
        self._fine = array("i", [0] * BLOCK)

    def is_open(self):
        return self.t_ms >= self.opens_ms

    def feed(self, until_ms):
        while self.t_ms + 128 <= until_ms:
            for i in range(BLOCK):
                self.t_ms += 4
                self._fine[i] = self._loud if self.t_ms in self._at_ms else 1
            self.picker.pick(self._fine, 100)


def make_arrivals(at_ms, error_ms=3):
    detector, clock = FedDetector(at_ms), Part()
    clock.quality_ms = lambda: error_ms
    clock.utc_ms = lambda uptime_ms: uptime_ms + 1_800_000_000_000
    return detector, Arrivals(detector, clock)


def asked(detector, arrivals, until_ms):
    # The reports when asked every 128 ms, with their times.
    reports = []
    while detector.t_ms + 128 <= until_ms:
        detector.feed(detector.t_ms + 128)
        values = arrivals.next(detector.t_ms)
        if values is not None:
            reports.append((detector.t_ms, values))
    return reports


def gaps(times):
    return [times[i + 1] - times[i] for i in range(len(times) - 1)]


def footfalls_are_reported_once_with_utc():
    steps = [600 * n for n in range(1, 40)]
    detector, arrivals = make_arrivals(steps)
    detector.opens_ms = 5_000
    reports = asked(detector, arrivals, 20_000)
    utc_ms = []
    for at_ms, values in reports:
        assert values["t_ms"] == 1_000 and values["error_ms"] == 3
        late_ms, levels = values["footfalls"][::2], values["footfalls"][1::2]
        assert late_ms[0] == 0 and set(levels) == {100} and len(levels) <= 8
        utc_ms += [values["utc_ms"] - 1_800_000_000_000 + late for late in late_ms]
        assert at_ms - utc_ms[-1] < 1_000
        codec.encode(bytearray(128), "footfalls", values)
    # the newest eight when it opened, then all, each to the sample
    assert utc_ms[0] == 2_400 and utc_ms == steps[3 : 3 + len(utc_ms)] and len(utc_ms) == 29, utc_ms
    # a detection goes first; then at the most one every two seconds
    times = [at_ms for at_ms, _ in reports]
    assert times[0] >= 7_000
    assert min(gaps(times)) >= 2_000


def footfalls_that_are_not_requested_expire():
    detector, arrivals = make_arrivals([600 * n for n in range(1, 60)])
    asked(detector, arrivals, 6_000)
    detector.feed(30_000)  # the link was down
    (values,) = [values for _, values in asked(detector, arrivals, 30_200)]
    first_ms = values["utc_ms"] - 1_800_000_000_000
    assert len(values["footfalls"]) == 16 and first_ms >= 24_000
    detector.feed(60_000)  # no more steps
    assert asked(detector, arrivals, 70_000) == []


def footfalls_without_a_good_clock_are_not_reported():
    for error_ms in (None, 11):
        detector, arrivals = make_arrivals([600 * n for n in range(1, 60)], error_ms)
        detector.opens_ms = 4_000
        wants = []
        while detector.t_ms < 200_000:
            assert asked(detector, arrivals, detector.t_ms + 128) == []
            if arrivals.wants_time(detector.t_ms):
                wants.append(detector.t_ms)
        assert len(wants) == 4 and min(gaps(wants)) >= 15_000, wants


def footfalls_of_a_vehicle_or_an_animal_are_not_reported():
    for class_id in (0, 3, 4):
        detector, arrivals = make_arrivals([600 * n for n in range(1, 60)])
        detector.report.class_id = class_id
        assert asked(detector, arrivals, 30_000) == [] and not arrivals.wants_time(30_000)


globals()[sys.argv[1]]()
print("ok")
