# SPDX-License-Identifier: MIT
# Board layer, simulated: the geophone with its cable, between the ground and the input terminals.

from math import pi, sin

from . import noise

# Kinds of faults, from a given time on:
#   well      no fault
#   cut       the cable: the shunt on the board is alone at the terminals
#   open      cable and shunt: the sense current pulls the input to its rail
#   short     the terminals are bridged
#   hum, hum60   no fault, but pickup of 50 or 60 Hz mains
#   hiss      no fault, but pickup of wide-band noise
#   stuck     the converter always returns one code
#   silent    the converter answers nothing (ADS1220)
#   brown_out the converter loses its registers once (ADS1220)
KINDS = ("well", "cut", "open", "short", "hum", "hum60", "hiss", "stuck", "silent", "brown_out")
_HUM_NM_S = 20_000  # peak; a third of it at twice the frequency
_HISS_NM_S = 15_000  # rms


class GeophoneLine:
    # faults: (t_us, kind) pairs in order of time.

    def __init__(self, feed, faults, seed):
        self._feed = feed
        self._faults = faults
        self._next = 0
        self._kind = "well"
        self._hiss = noise.table(seed + 1) if faults else None

    def kind(self, t_us):
        while self._next < len(self._faults) and self._faults[self._next][0] <= t_us:
            self._kind = self._faults[self._next][1]
            self._next += 1
        return self._kind

    def nm_s(self, t_us):
        # The voltage at the terminals beside the sense current's, as ground velocity.
        kind = self.kind(t_us)
        if kind in ("cut", "open", "short"):
            return 0
        nm_s = self._feed.at(t_us)
        if kind == "hum" or kind == "hum60":
            turn = 2e-6 * pi * (50 if kind == "hum" else 60) * t_us
            nm_s += int(_HUM_NM_S * (sin(turn) + sin(2 * turn) / 3))
        elif kind == "hiss":
            place = t_us // 1000 & (noise.SIZE - 1)
            nm_s += self._hiss[place] * _HISS_NM_S // noise.RMS
        return nm_s

    def terminals_ohm(self, front, t_us):
        # Between the input terminals of a front end; 10 Mohm is what an open input leaks.
        kind = self.kind(t_us)
        if kind == "cut":
            return front.shunt_ohm
        if kind == "open":
            return 1e7
        if kind == "short":
            return 0.5
        coil_ohm = front.geophone.coil_ohm
        return coil_ohm * front.shunt_ohm / (coil_ohm + front.shunt_ohm)
