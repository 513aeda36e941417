# SPDX-License-Identifier: MIT
# Verdict: evidence for a walking person from rhythm, impulsiveness, picked steps and PIR.
#
# Every hop (0.5 s) gives points; a leaky sum of them is the belief that the activity opens on.

from micropython import const

PERSON = const(1)
_LEAK_SHIFT = const(3)
_FULL = const(400)
_EMPTY = const(-80)  # calm is forgotten fast: the first seconds of a walk count


class Verdict:
    def __init__(self):
        self.points = 0
        self.belief = 0

    def weigh(self, long_score, quick_score, kurtosis_x16, steps, pir):
        # scores 256 = 1.0
        points = max(long_score, quick_score - 40) - 128
        points += min(kurtosis_x16, 160) >> 2
        points += min(steps, 8) * 8 - 24
        if pir:
            points += 32
        self.points = max(-100, min(100, points))
        self.belief += self.points - (self.belief >> _LEAK_SHIFT)
        self.belief = max(_EMPTY, min(_FULL, self.belief))
