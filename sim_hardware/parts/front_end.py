# SPDX-License-Identifier: MIT
# Board layer, simulated: the geophone and the components around it, per front end, and what
# follows: scale, damping, and the voltage by which the firmware detects the coil. Tests compare
# firmware constants, simulated parts and the boards' pages with these figures.

from .rows import BOARDS as ROWS

_PI = 3.141592653589793


class Geophone:
    def __init__(self, natural_hz, sensitivity, coil_ohm, open_damping, mass_kg):
        self.natural_hz = natural_hz
        self.sensitivity = sensitivity  # V/(m/s), coil open
        self.coil_ohm = coil_ohm
        self.open_damping = open_damping  # of critical damping, coil open
        self.mass_kg = mass_kg  # of the moving part


# ION SM-24 data sheet: 10 Hz, 28.8 V/(m/s), 375 ohm, damping 0.25 open, 0.60 with 1339 ohm, 11 g.
SM_24 = Geophone(10.0, 28.8, 375.0, 0.25, 0.011)


class FrontEnd:
    # Shunt and sense resistors are on the board, so that both stay when the cable is cut. A steady
    # current from sense_v through sense_ohm flows through the coil: the offset shows the resistance
    # between the input terminals.

    def __init__(
        self,
        geophone,
        shunt_ohm,
        sense_v,
        sense_ohm,
        count_v,
        filter_ohm,
        filter_f,
        fs_hz,
        mean_s=0.0,
    ):
        self.geophone = geophone
        self.shunt_ohm = shunt_ohm
        self.sense_v = sense_v
        self.sense_ohm = sense_ohm
        self.count_v = count_v  # V at the input terminals for one count of the sampler
        self.filter_ohm = filter_ohm  # in the way to the converter
        self.filter_f = filter_f
        self.fs_hz = fs_hz  # rate of the converter
        self.mean_s = mean_s  # the converter averages over this time

    def load_ohm(self):
        # What the coil feeds.
        return parallel(self.shunt_ohm, self.sense_ohm)

    def damping(self):
        # Of critical damping. The coil's own voltage G v drives a current through coil and load,
        # and the current brakes the mass with G i: b = b0 + G^2 / (2 m w0 (Rcoil + Rload)). The
        # SMT-200 manual (Input/Output, appendix B) has 0.60 for 1330 ohm and 0.69 for 1000 ohm at
        # a 10 Hz coil of the same make; this gives 0.60 and 0.69.
        one = self.geophone
        w0 = 2 * _PI * one.natural_hz
        around_ohm = one.coil_ohm + self.load_ohm()
        return one.open_damping + one.sensitivity**2 / (2 * one.mass_kg * w0 * around_ohm)

    def sensitivity(self):
        # V/(m/s) at the terminals: coil and load divide what the coil makes.
        load_ohm = self.load_ohm()
        return self.geophone.sensitivity * load_ohm / (self.geophone.coil_ohm + load_ohm)

    def nm_s_per_count(self):
        return 1e9 * self.count_v / self.sensitivity()

    def sense_counts(self, terminals_ohm):
        # The steady offset with so much resistance between the terminals, the shunt included.
        share = terminals_ohm / (self.sense_ohm + terminals_ohm)
        return self.sense_v * share / self.count_v

    def well_counts(self):
        return self.sense_counts(parallel(self.geophone.coil_ohm, self.shunt_ohm))

    def cut_counts(self):
        # The cable is cut: the shunt is alone.
        return self.sense_counts(self.shunt_ohm)

    def cut_limit_counts(self):
        # Between a coil and none, as far from either as factors go.
        return (self.well_counts() * self.cut_counts()) ** 0.5

    def short_limit_counts(self):
        return self.well_counts() / 3


def parallel(one_ohm, other_ohm):
    return one_ohm * other_ohm / (one_ohm + other_ohm)


FRONT_ENDS = {
    # Amplifier of gain 1 + 64 kohm / 100 ohm on a converter of 3.3 V over 4096 codes, four of which
    # are summed; 2.2 Mohm from 3.3 V to the hot terminal, the other one at mid-rail.
    "rp2040_adc": FrontEnd(SM_24, 1330.0, 1.65, 2.2e6, 3.3 / 4096 / 4 / 641, 1000.0, 1e-6, 4000),
    # ADS1220: 2.048 V / 128 over 2^23 codes, 64 codes make a count; 1 Mohm from the hot terminal
    # to 3.3 V and 1 Mohm from the other one to ground. 1000 conversions a second.
    "ads1220": FrontEnd(
        SM_24, 1330.0, 3.3, 2.0e6, 2.048 / 128 / (1 << 23) * 64, 200.0, 1e-7, 1000, 1e-3
    ),
}
BOARDS = {name: FRONT_ENDS[row.front_end] for name, row in ROWS.items()}
