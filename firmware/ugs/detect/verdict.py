# SPDX-License-Identifier: MIT
# Verdict: evidence for somebody on foot, from three looks at the rhythm.
#
#   quick    4 s of a loud, near walk: a strong beat, and single steps picked one period apart
#   long     8 s: a clear beat
#   patient  8 s windows averaged: a faint beat that keeps its rate
#
# Scores count 256 for a perfect beat. The best look counts. Evidence 0 was set a little above the
# most that 26 h of simulated noise (calm, wind, rain, traffic, knocks) reached in any look.

from micropython import const

PERSON = const(1)
ANIMAL = const(3)

_QUICK = const(305)
_QUICK_STEP = const(12)  # per picked interval that fits, up to 6
_LONG = const(192)
_PATIENT = const(114)
_YOUNG = const(24)  # more for each halving of a patient look's average: one false per 1000 boots
_PIR = const(16)
_KEEP = const(-20)  # an open activity lives on above this
_FAST_X20 = const(62)  # above 3.1 beats a second it is four feet, or a runner taken for them


class Verdict:
    def __init__(self):
        self.evidence = 0

    def weigh(self, quick, long, patient, halvings, steps):
        # scores of the three looks; halvings: how far the patient one is from its full average;
        # steps: picked intervals that fit the beat in the last 4 s
        evidence = quick + min(steps, 6) * _QUICK_STEP - _QUICK
        evidence = max(evidence, long - _LONG)
        if long * 2 < patient:
            patient = 0  # the beat has stopped, only its average lingers
        least = _PATIENT + halvings * _YOUNG
        self.evidence = max(evidence, patient + (quick + long) // 8 - least)

    def support(self):
        # a PIR pulse close by
        self.evidence += _PIR

    def is_sure(self, is_open):
        return self.evidence > (_KEEP if is_open else 0)

    def confidence_pct(self):
        return max(50, min(97, 60 + self.evidence * 35 // 128))


def class_of(rate_x20):
    return ANIMAL if rate_x20 > _FAST_X20 else PERSON
