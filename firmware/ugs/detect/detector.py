# SPDX-License-Identifier: MIT
# Detection: from ring samples to reports: first detection, then classification. Steady state: no
# allocation.

from micropython import const

from ugs.detect.activity import Activity
from ugs.detect.cadence import Averaged, Cadence
from ugs.detect.features import Features
from ugs.detect.picker import Picker
from ugs.detect.verdict import Verdict
from ugs.dsp.biquad import FOOT_BAND, Cascade
from ugs.dsp.compress import LENGTH, History
from ugs.dsp.correlate import Correlator
from ugs.dsp.envelope import Envelope
from ugs.dsp.intake import Intake
from ugs.dsp.minimum import Minimum
from ugs.dsp.stalta import StaLta

FS_HZ = const(250)
_HOP = const(4)  # blocks between verdicts: 0.51 s
_QUICK = const(128)  # levels = 4.1 s
_GROWN = const(192)  # levels = 6.1 s: the long window starts shorter
_SETTLE = const(4)  # blocks = 0.5 s: until filters have forgotten a gap
# Beat scores over 8 s and 16 s that 95 % of diggers' hops stay below, on the sites where limits are
# set.
_GAIT_LONG = const(172)
_GAIT_AVERAGED = const(126)
_PICK = const(4)  # a step rises above this many floors


class Detector:
    def __init__(self, nm_s_per_count_x256, model):
        # model: as ugs.detect.forest reads it, bytes or an open file
        # Raises ValueError for a scale outside 1..8191 (31 nm/s per count) or an unfit model.
        # Loaded while samples are taken, so that the first one comes sooner.
        from ugs.detect.forest import Forest
        from ugs.detect.pir import Pir
        from ugs.detect.rise import Rise
        from ugs.dsp.lines import Lines

        self._intake = Intake(nm_s_per_count_x256)
        self.lines = Lines()
        self._band = Cascade(FOOT_BAND)
        self._envelope = Envelope()
        self.trigger = StaLta()
        self._minimum = Minimum()
        self._history = History()
        self.picker = Picker()
        self._correlator = Correlator()
        self._long = Cadence(LENGTH, 4)
        self._quick = Cadence(_QUICK, 2)
        self._averaged = Averaged()
        self._pir = Pir()
        self.rise = Rise()
        self._forest = Forest(model)
        self._verdict = Verdict(self._forest)
        self._activity = Activity()
        self._blocks = 0
        self._unsure = 0
        self.features = Features()
        self.hops = 0  # verdicts so far
        self.t_ms = 0  # uptime of the newest sample
        self.report = self._activity.report
        self.floor_um_s_x100 = 0

    def pir_edge(self, t_ms, level):
        # an edge counts from the block in which it is reported: edges come before their block
        self._pir.edge(level)

    def set_threshold(self, threshold_x10):
        # For onsets only: the limit that keeps an activity alive is unchanged.
        self._verdict.set_threshold(self._forest, threshold_x10)

    def note_gap(self, blocks):
        # Samples are missing among the next `blocks`. The sampler repeats the sample before them.
        # Such constant samples are no quiet: they must not bound the floor, or ordinary noise would
        # be loud for a minute.
        self._unsure = blocks + _SETTLE

    def is_open(self):
        # whether an activity is open; `report` is its latest report
        return self._activity.is_open

    def is_pir_muted(self):
        # whether the PIR pulses too often to be evidence
        return self._pir.is_muted()

    def insight(self):
        # for tests, walk tests and snippets: the basis of the last verdict
        return (
            self._quick.score(),
            self._long.score(),
            self._averaged.score(),
            self._verdict.evidence(),
            self.trigger.is_open(),
        )

    def feed(self, ring, start, t_ms):
        # consumes 32 samples ring[(start + i) & (len(ring) - 1)]; t_ms: uptime of the last one.
        # True: self.report holds a new report.
        self.t_ms = t_ms
        self._condition(ring, start)
        self._activity.step(self.trigger.is_open(), self._envelope.peak(), self._pir.total)
        self._blocks += 1
        if self._blocks < _HOP:
            return False
        self._blocks = 0
        if self._history.filled < _QUICK or not self.trigger.is_ready():
            return False
        return self._assess(t_ms)

    def _condition(self, ring, start):
        block = self._intake.block
        self._intake.take(ring, start)
        self.lines.run(block)
        self.features.add(block)
        self._band.run(block)
        self.features.add_foot(block)
        envelope = self._envelope
        envelope.follow(block)
        trigger = self.trigger
        if self._unsure:
            self._unsure -= 1
        elif self._minimum.add(envelope.slow):
            trigger.bound(self._minimum.bound())
        trigger.step(envelope.slow)
        floor = trigger.floor()
        self._history.push(envelope.slow, floor)
        if trigger.is_ready():
            self.picker.pick(envelope.fine, floor * _PICK)
        self._pir.tick()
        self.lines.look(block, trigger.is_open())
        # mean of |x| to rms of Gaussian noise: 5/4; 0.25 nm/s to 10 nm/s
        self.floor_um_s_x100 = min(65535, floor >> 5)

    def _assess(self, t_ms):
        history = self._history
        correlator = self._correlator
        quick, long, averaged = self._quick, self._long, self._averaged
        correlator.run(history.levels, history.at, _QUICK, quick.lags)
        quick.measure(correlator.products)
        best = quick
        if history.filled >= _GROWN:
            best = long
            correlator.run(history.levels, history.at, history.filled, long.lags)
            long.window(history.filled)
            long.measure(correlator.products)
            averaged.measure(long.r)
        self.features.measure(history, self.trigger, self.picker, quick, long, averaged, self._pir)
        self.hops = (self.hops + 1) & 0xFFFF
        rise, verdict, activity = self.rise, self._verdict, self._activity
        was_open = activity.is_open
        rise.take(self.features.over)
        stands = rise.goes_on if was_open else rise.is_loud
        verdict.weigh(
            self._forest.score(self.features.values),
            was_open,
            stands,
            self.picker.strokes(),
            long.score() >= _GAIT_LONG or averaged.score() >= _GAIT_AVERAGED,
        )
        has_report = activity.decide(
            t_ms,
            verdict.is_sure(was_open) or stands,
            verdict.confidence_pct(),
            verdict.class_id(),
            best.rate_x20(),
            self._pir.total,
        )
        if was_open and not activity.is_open:
            rise.end(activity.report.class_id != 0)
        return has_report
