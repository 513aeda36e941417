# SPDX-License-Identifier: MIT
# update: self-test of the image in use; on trial it has ten minutes to pass.

from micropython import const

_WELL_MS = const(60_000)
_TRIAL_MS = const(600_000)


class SelfTest:
    # Call step() once a second. An image on trial is committed once it has run for a minute with
    # working sensors and the gateway has answered one of its heartbeats.

    def __init__(self, slots):
        self._slots = slots
        self._is_acknowledged = self._is_over = False

    def step(self, now_ms, are_sensors_well, is_acknowledged):
        # True if the trial has failed: a reset uses up the next try.
        self._is_acknowledged = self._is_acknowledged or is_acknowledged
        if self._is_over or now_ms < _WELL_MS:
            return False
        if self._slots.on_trial and not (are_sensors_well and self._is_acknowledged):
            return now_ms >= _TRIAL_MS
        self._is_over = True
        try:
            if self._slots.on_trial:
                self._slots.commit()
                print("update kept version=%d" % self._slots.version)
            else:
                self._slots.well()
        except OSError:
            self._is_over = False  # flash failed: tried again in a second
        return False
