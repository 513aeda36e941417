# SPDX-License-Identifier: MIT
# update: whether the tree in use has proved itself; on trial it has ten minutes to do so.

from micropython import const

_WELL_MS = const(60_000)
_TRIAL_MS = const(600_000)


class Proof:
    # step() once a second. A tree on trial is kept once it has run for a minute with sensors that
    # answer and has had a heartbeat of its own answered by the gateway.

    def __init__(self, slots):
        self._slots = slots
        self._is_acknowledged = self._is_over = False

    def step(self, now_ms, are_sensors_well, is_acknowledged):
        # True when the trial has failed: a reset uses up the next try.
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
            self._is_over = False  # flash refuses: tried again in a second
        return False
