# SPDX-License-Identifier: MIT
"""What the emulated board's pins read: noise at rest, a signal in its time, actions in order."""

from __future__ import annotations

import numpy as np
import pytest

from sim_hardware.emulated.inputs import CODES_PER_M_S, PENDING_MAX, REST_CODE, Agenda, Ground
from sim_hardware.errors import SimError
from sim_hardware.signals import Signal


def codes(ground: Ground, begin_us: int, count: int) -> np.ndarray:
    return np.array([ground.code(begin_us + 1000 * at) for at in range(count)])


def test_ground_at_rest_reads_mid_rail_and_a_code_of_noise():
    found = codes(Ground(), 0, 5000)
    assert abs(found.mean() - REST_CODE) < 0.1
    assert 0.9 < found.std() < 1.2  # rounding adds 0.29 rms


def test_ground_reads_the_velocity_of_a_signal_in_its_time_only():
    ground = Ground()
    step = np.full(500, 100 / CODES_PER_M_S, np.float32)
    ground.play(Signal(fs_hz=500.0, velocity_m_s=step), 2_000_000)
    assert abs(codes(ground, 0, 1900).mean() - REST_CODE) < 0.2
    assert abs(codes(ground, 2_000_000, 990).mean() - REST_CODE - 100) < 0.2
    assert abs(codes(ground, 3_000_000, 1000).mean() - REST_CODE) < 0.2


def test_ground_beyond_the_rails_reads_the_rails():
    ground = Ground()
    wild = np.tile(np.float32([1e-2, -1e-2]), 500)
    ground.play(Signal(fs_hz=500.0, velocity_m_s=wild), 0)
    assert ground.code(0) == 4095
    assert ground.code(2000) == 0


def test_agenda_does_what_is_due_in_order():
    agenda, done = Agenda(), []
    for at_us, name in ((30, "c"), (10, "a"), (30, "d"), (20, "b")):
        agenda.add(at_us, lambda name=name: done.append(name))
    assert agenda.next_us == 10
    agenda.run(29)
    assert (done, agenda.next_us) == (["a", "b"], 30)
    agenda.run(30)
    assert (done, agenda.next_us) == (["a", "b", "c", "d"], None)


def test_agenda_that_is_full_refuses():
    agenda = Agenda()
    for _ in range(PENDING_MAX):
        agenda.add(1, lambda: None)
    with pytest.raises(SimError, match="wait already"):
        agenda.add(1, lambda: None)
