# SPDX-License-Identifier: MIT
"""Evidence, PIR support and the life of one activity."""

from ugs.detect.activity import END, ONSET, UPDATE, Activity
from ugs.detect.pir import Pir
from ugs.detect.verdict import ANIMAL, PERSON, Verdict, class_of

BLOCK_MS = 128
HOP = 4


def play(activity, sure, confidence_pct=70, start=0, pir=0, loud=0):
    """One report tuple per hop that gave one; `sure` has a flag for every hop."""
    reports = []
    for hop, flag in enumerate(sure):
        for _ in range(HOP):
            activity.step(flag, loud, pir)
        t_ms = (start + hop + 1) * HOP * BLOCK_MS
        if activity.decide(t_ms, flag, confidence_pct, PERSON, 37, pir):
            report = activity.report
            reports.append((report.phase, t_ms, report.onset_ms))
    return reports


def test_activity_gives_one_onset_updates_every_5_s_and_one_end():
    reports = play(Activity(), [False] * 10 + [True] * 40 + [False] * 30)
    assert [phase for phase, _, _ in reports] == [ONSET] + [UPDATE] * 5 + [END]
    assert len({onset for _, _, onset in reports}) == 1
    updates = [t for phase, t, _ in reports if phase == UPDATE]
    assert all(4900 < b - a <= 5200 for a, b in zip(updates, updates[1:], strict=False))


def test_activity_through_a_pause_of_4_s_stays_one():
    reports = play(Activity(), [True] * 10 + [False] * 8 + [True] * 10)
    assert [phase for phase, _, _ in reports].count(ONSET) == 1
    assert END not in [phase for phase, _, _ in reports]


def test_activity_after_its_end_opens_a_new_one_with_its_own_onset():
    activity = Activity()
    first = play(activity, [True] * 10 + [False] * 30)
    second = play(activity, [True] * 4, start=40)
    assert first[-1][0] == END
    assert second[0][0] == ONSET
    assert second[0][2] > first[0][2]


def test_activity_much_surer_after_2_5_s_updates_early_once():
    activity = Activity()
    play(activity, [True] * 2, confidence_pct=60)
    early = play(activity, [True] * 8, confidence_pct=90, start=2)
    assert early[0][0] == UPDATE
    assert early[0][1] < 4500
    assert activity.report.confidence_pct == 90


def test_activity_counts_pir_pulses_and_peak_of_its_own_time_only():
    activity = Activity()
    play(activity, [False] * 10, pir=5, loud=30000)
    play(activity, [False] * 10, pir=5)
    play(activity, [True] * 2, start=20, pir=5, loud=100)
    play(activity, [True] * 20, start=22, pir=7, loud=100)
    assert activity.report.pir_count == 2
    assert activity.report.peak_um_s_x100 == 40  # 100 units of 4 nm/s in 10 nm/s


def test_activity_report_of_the_loudest_signal_saturates_within_its_field():
    activity = Activity()
    play(activity, [True] * 2, loud=2**17, pir=500)
    assert activity.report.peak_um_s_x100 <= 65535
    assert activity.report.pir_count <= 23


def test_verdict_by_each_look_alone_is_sure():
    for look in ((310, 0, 0, 0), (240, 0, 0, 6), (0, 200, 0, 0), (40, 60, 110, 0)):
        verdict = Verdict()
        quick, long, patient, steps = look
        verdict.weigh(quick, long, patient, 0, steps)
        assert verdict.is_sure(False), look


def test_verdict_on_typical_noise_is_not_sure():
    verdict = Verdict()
    verdict.weigh(120, 80, 50, 0, 0)
    assert not verdict.is_sure(False)
    assert not verdict.is_sure(True)


def test_verdict_when_the_beat_has_stopped_does_not_live_on_its_average():
    verdict = Verdict()
    verdict.weigh(60, 50, 250, 0, 0)
    assert not verdict.is_sure(True)


def test_verdict_of_a_young_average_asks_for_more():
    verdict = Verdict()
    verdict.weigh(60, 100, 120, 3, 0)
    assert not verdict.is_sure(False)


def test_verdict_with_pir_support_needs_less_but_not_nothing():
    verdict = Verdict()
    verdict.weigh(60, 70, 88, 0, 0)
    assert not verdict.is_sure(False)
    verdict.support()
    assert verdict.is_sure(False)
    verdict.weigh(90, 50, 40, 0, 0)
    verdict.support()
    assert not verdict.is_sure(False)


def test_verdict_confidence_stays_a_percentage_and_rises_with_evidence():
    values = []
    for quick in (0, 250, 310, 400, 512):
        verdict = Verdict()
        verdict.weigh(quick, 0, 0, 0, 0)
        values.append(verdict.confidence_pct())
    assert values == sorted(values)
    assert values[0] >= 50
    assert values[-1] <= 97
    assert values[-1] > values[0]


def test_class_of_a_fast_beat_is_animal():
    assert class_of(37) == PERSON
    assert class_of(70) == ANIMAL


def test_pir_pulse_supports_for_10_s():
    pir = Pir()
    assert not pir.supports()
    pir.edge(1)
    pir.edge(0)
    assert pir.total == 1
    for _ in range(77):
        pir.tick()
    assert pir.supports()
    for _ in range(5):
        pir.tick()
    assert not pir.supports()


def test_pir_of_sun_and_leaves_is_muted_until_calm():
    pir = Pir()
    for _ in range(6 * 469):
        pir.tick()
        if pir._clock % 30 == 0:
            pir.edge(1)
    assert pir.is_muted()
    assert not pir.supports()
    for _ in range(2 * 469):
        pir.tick()
    assert not pir.is_muted()
