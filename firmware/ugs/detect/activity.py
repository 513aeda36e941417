# SPDX-License-Identifier: MIT
# Verdict: from evidence over time to one onset, updates every 5 s and one end per activity.

from micropython import const

ONSET = const(1)
UPDATE = const(2)
END = const(3)

_BLOCK_MS = const(128)
_UPDATE = const(39)  # blocks = 5 s
_EARLY = const(20)  # 2.5 s, for a first update with clearly higher confidence
_NAMED = const(8)  # 1 s, for an update that brings the class
_SURER = const(10)
_QUIET = const(47)  # 6 s without evidence ends it
_REST = const(94)  # 12 s for digging: diggers rest
_DIGGING = const(5)
_BUCKET = const(20)  # blocks = 2.6 s: an onset reports the peak of the last one or two of these
_LEAD = const(62)  # an onset reaches back 8 s at most
_LONGEST = const(65535)


class Report:
    def __init__(self):
        self.phase = 0
        self.onset_ms = 0
        self.class_id = 0
        self.confidence_pct = 0
        self.peak_um_s_x100 = 0
        self.cadence_hz_x20 = 0
        self.pir_count = 0
        self.elapsed_s_x10 = 0


class Activity:
    def __init__(self):
        self.report = Report()
        self.is_open = False
        self._age = 0  # blocks since onset
        self._last = 0  # age of the last report
        self._updates = 0
        self._quiet = 0
        self._stirred = 0  # blocks since the trigger first opened, after calm
        self._calm = 0
        self._peak = 0
        self._before = 0
        self._bucket = 0
        self._pir_start = 0

    def step(self, triggered, peak, pir_total):
        # every block: ages and peaks; peak in units of 4 nm/s
        if triggered:
            self._calm = 0
            if self._stirred < _LEAD:
                self._stirred += 1
        else:
            self._calm += 1
            if self._calm > 16 and not self.is_open:
                # 2 s without trigger: the next one starts a new activity
                self._stirred = 0
            elif self._stirred and self._stirred < _LEAD:
                self._stirred += 1
        self._peak = max(self._peak, peak)
        if self.is_open:
            self._age += 1
            self._quiet += 1
            return
        self._bucket += 1
        if self._bucket >= _BUCKET:
            self._bucket = 0
            self._before = self._peak
            self._peak = peak
        if self._stirred == 0:
            self._pir_start = pir_total

    def decide(self, t_ms, is_sure, confidence_pct, class_id, rate_x20, pir_total):
        # every hop; True if the report is filled
        if is_sure:
            self._quiet = 0
        if not self.is_open:
            if not is_sure:
                return False
            self.is_open = True
            self._age = self._stirred
            self._last = self._age
            self._updates = 0
            self._peak = max(self._peak, self._before)
            self.report.onset_ms = t_ms - self._age * _BLOCK_MS
            self.report.confidence_pct = 0
            return self._fill(ONSET, confidence_pct, class_id, rate_x20, pir_total)
        if self._quiet >= (_REST if self.report.class_id == _DIGGING else _QUIET):
            self.is_open = False
            self._stirred = 0
            return self._fill(END, confidence_pct, class_id, rate_x20, pir_total)
        waited = self._age - self._last
        surer = confidence_pct >= self.report.confidence_pct + _SURER
        named = class_id and not self.report.class_id
        if (
            waited >= _UPDATE
            or (waited >= _EARLY and self._updates == 0 and surer)
            or (waited >= _NAMED and named)
        ):
            self._updates = 1
            return self._fill(UPDATE, confidence_pct, class_id, rate_x20, pir_total)
        return False

    def _fill(self, phase, confidence_pct, class_id, rate_x20, pir_total):
        report = self.report
        report.phase = phase
        report.class_id = class_id
        report.confidence_pct = max(report.confidence_pct, confidence_pct)
        report.peak_um_s_x100 = min(65535, (self._peak * 2) // 5)
        self._peak = 0  # each report has its own: its rise and fall locate a passing target
        if phase != END:
            report.cadence_hz_x20 = min(255, rate_x20)
        report.pir_count = min(23, (pir_total - self._pir_start) & 0xFFFF)
        report.elapsed_s_x10 = min(_LONGEST, (self._age * 32) // 25)
        self._last = self._age
        return True
