# SPDX-License-Identifier: MIT
# health: what a node measures about itself: the heartbeat, and which conditions are active.

from micropython import const

from ugs.lines import note
from ugs.pir_check import PirCheck
from ugs.signal_check import RESTARTED, SILENT, SignalCheck

_U16_MAX = const(65535)

_BATTERY_EVERY_S = const(4)
# One lithium cell. Below the lowest voltage there is no battery but a bench supply on the divider.
# The radio lowers the voltage for less than the time between two readings.
_BATTERY_LOW_MV = const(3500)
_BATTERY_GOOD_MV = const(3600)
_BATTERY_NONE_MV = const(1000)
_BATTERY_LOOKS = const(2)
# Low-voltage lockout: without the radio, which takes most of the current, the node continues to
# sense into its ledger and avoids a brown-out. The cell recovers by about 0.1 V without the load,
# so the radio is switched on again well above that.
_RADIO_OFF_MV = const(3200)
_RADIO_ON_MV = const(3400)
_RADIO_LOOKS = const(4)  # later than the condition low_battery, which is sent before
_CLOCK_UNSET_MS = const(600_000)
_WINDOW_S = const(10)
# In one window: 1 % missed, 5 % of one second clipped, and more rejected messages than radio noise
# causes.
_MISSED_PCT = const(1)
_CLIPPED_PCT = const(5)
_REFUSED = const(10)
_LEDGER_QUIET_WINDOWS = const(6)


class Health:
    # Call poll() once a second and poll_contact() five times; heartbeat() returns the values of a
    # health message. `board` has battery_mv(), check(), tamper and pir (or None); `session` and
    # `link` are of ugs.link.

    def __init__(self, board, ledger, clock, session, link, conditions, random):
        self.battery_mv = 0
        self.heartbeat_s = 60
        self._board = board
        self._sampler = board.sampler
        self._ledger = ledger
        self._clock = clock
        self._session = session
        self._link = link
        self._conditions = conditions
        self._random = random
        self.heartbeat_ms = 0
        self._beat_ms = 0
        self._seconds = 0
        self._signal = SignalCheck(
            board.sampler, board.nm_s_per_count_x256, board.input_levels, board.coil_answers
        )
        self._pir = PirCheck(board.pir) if board.pir is not None else None
        self._low_looks = self._shut_looks = 0
        self._clipped = 0
        self._clip_seen = 0
        self._missed = 0
        # A radio start may stop the timers: samples missed in this window are no condition.
        self.is_radio_starting = False
        self._refused = 0
        self._faults = 0
        self._faultless_windows = 0
        self._sensor_fault = 0

    def is_heartbeat_due(self, now_ms):
        return now_ms >= self.heartbeat_ms

    def set_heartbeat(self, now_ms, heartbeat_s):
        # The next heartbeat is not delayed.
        self.heartbeat_s = heartbeat_s
        self.heartbeat_ms = min(self.heartbeat_ms, now_ms + heartbeat_s * 1000)

    def heartbeat(self, now_ms, floor_um_s_x100):
        # +- 20 %, so that nodes started together do not stay in step.
        self._beat_ms = now_ms
        self.heartbeat_ms = now_ms + int(self.heartbeat_s * (800 + 400 * self._random()))
        self._print_sampling()
        return {
            "t_ms": now_ms,
            "battery_mv": min(self.battery_mv, _U16_MAX),
            "rssi_dbm": self._link.rssi_dbm(),
            "floor_um_s_x100": min(floor_um_s_x100, _U16_MAX),
            "samples_missed": min(self._sampler.missed, _U16_MAX),
            "ledger_pending": min(self._ledger.pending(), _U16_MAX),
        }

    def is_acknowledged(self):
        # Whether the gateway has answered the newest heartbeat.
        return self._session.echo_ms == self._beat_ms

    def _print_sampling(self):
        sampler = self._sampler
        print(
            "sampling rate_hz_x100=%d missed=%d overruns=%d clipped=%d worst_late_us=%d"
            " offset=%d rms_x16=%d"
            % (
                sampler.rate_hz_x100(),
                sampler.missed,
                sampler.overruns,
                sampler.clipped,
                sampler.worst_late_us,
                self._signal.offset,
                self._signal.rms_x16,
            )
        )

    def are_sensors_well(self):
        # At this moment: a fault is reported only once it lasts.
        return not self._sensor_fault and self._sampler.written

    def poll_contact(self, now_ms):
        tamper = self._board.tamper
        tamper.poll()
        self._conditions.set(now_ms, "tamper", tamper.is_open)

    def poll(self, now_ms):
        if self._seconds % _BATTERY_EVERY_S == 0:
            self._check_battery(now_ms)
            self._check_radio()
        self._check_signal(now_ms)
        self._check_pir(now_ms)
        self._seconds += 1
        if self._seconds % _WINDOW_S == 0:
            self._check_window(now_ms)

    def _check_battery(self, now_ms):
        self.battery_mv = self._board.battery_mv()
        if _BATTERY_NONE_MV <= self.battery_mv < _BATTERY_LOW_MV:
            self._low_looks += 1
            if self._low_looks >= _BATTERY_LOOKS:
                self._conditions.set(now_ms, "low_battery", True, self.battery_mv)
            return
        self._low_looks = 0
        if self.battery_mv >= _BATTERY_GOOD_MV:
            self._conditions.set(now_ms, "low_battery", False, self.battery_mv)

    def _check_radio(self):
        link = self._link
        is_low = _BATTERY_NONE_MV <= self.battery_mv < _RADIO_OFF_MV
        self._shut_looks = self._shut_looks + 1 if is_low else 0
        if self._shut_looks == _RADIO_LOOKS:
            link.is_shut = True
            self._ledger.write_back()
            note("radio off battery_mv=%d" % self.battery_mv)
        elif link.is_shut and not _BATTERY_NONE_MV <= self.battery_mv < _RADIO_ON_MV:
            link.is_shut = False
            note("radio on battery_mv=%d" % self.battery_mv)

    def _check_signal(self, now_ms):
        sampler = self._sampler
        fault = self._front_end_fault() or self._signal.step()
        self._sensor_fault = fault
        self._conditions.set(now_ms, "sensor_fault", bool(fault), fault or None)
        clipped = sampler.clipped - self._clipped
        self._clipped = sampler.clipped
        if clipped * 100 > _CLIPPED_PCT * sampler.fs_hz:
            self._clip_seen = self._seconds
            self._conditions.set(now_ms, "samples_clipped", True, sampler.clipped)
        elif self._seconds - self._clip_seen >= _WINDOW_S:
            self._conditions.set(now_ms, "samples_clipped", False, sampler.clipped)

    def _front_end_fault(self):
        try:
            return RESTARTED if self._board.check() else 0
        except OSError:
            return SILENT

    def _check_pir(self, now_ms):
        if self._pir is not None:
            fault = self._pir.step(now_ms)
            self._conditions.set(now_ms, "pir_fault", bool(fault), fault or None)

    def _check_window(self, now_ms):
        conditions = self._conditions
        missed = 0 if self.is_radio_starting else self._sampler.missed - self._missed
        self.is_radio_starting = False
        self._missed = self._sampler.missed
        if missed * 100 > _MISSED_PCT * self._sampler.fs_hz * _WINDOW_S:
            conditions.set(now_ms, "samples_missed", True, self._missed)
        elif missed <= 0:
            conditions.set(now_ms, "samples_missed", False, self._missed)
        refused = self._session.downlink.refused - self._refused
        self._refused = self._session.downlink.refused
        if refused >= _REFUSED:
            conditions.set(now_ms, "down_refused", True, self._refused)
        elif refused == 0:
            conditions.set(now_ms, "down_refused", False, self._refused)
        self._check_ledger(now_ms)
        burst = self._link.burst
        if burst is None or burst.asleep_s is None:
            # Not or no longer a sentinel. A sentinel reports this itself.
            conditions.set(now_ms, "wakes_ignored", False)
        unset = self._clock.quality_ms() is None and self._session.connects > 0
        conditions.set(now_ms, "clock_unset", unset and now_ms >= _CLOCK_UNSET_MS)

    def _check_ledger(self, now_ms):
        # Requesting the write again here keeps records in memory until the flash recovers.
        faults = self._ledger.faults
        written = self._ledger.write_back()
        if self._ledger.faults != self._faults or not written:
            self._faultless_windows = 0
            self._conditions.set(now_ms, "ledger_fault", True, faults)
        else:
            self._faultless_windows += 1
        if self._faultless_windows >= _LEDGER_QUIET_WINDOWS:
            self._conditions.set(now_ms, "ledger_fault", False, faults)
        self._faults = self._ledger.faults
