# SPDX-License-Identifier: MIT
"""PIR pulses and the life of one activity."""

from ugs.detect.activity import END, ONSET, UPDATE, Activity
from ugs.detect.pir import Pir

BLOCK_MS = 128
HOP = 4
PERSON, DIGGING = 1, 5


def play(activity, sure, confidence_pct=70, start=0, pir=0, loud=0, name=PERSON):
    """One report tuple per hop that gave one; `sure` has a flag for every hop."""
    reports = []
    for hop, flag in enumerate(sure):
        for _ in range(HOP):
            activity.step(flag, loud, pir)
        t_ms = (start + hop + 1) * HOP * BLOCK_MS
        if activity.decide(t_ms, flag, confidence_pct, name, 37, pir):
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


def test_digger_who_rests_for_11_s_stays_one_and_a_walker_who_is_gone_for_7_s_does_not():
    for name, rest_s, ends in ((DIGGING, 11, 0), (DIGGING, 13, 1), (PERSON, 7, 1)):
        rest = [False] * round(rest_s * 1000 / HOP / BLOCK_MS)
        reports = play(Activity(), [True] * 10 + rest + [True] * 4, name=name)
        assert [phase for phase, _, _ in reports].count(END) == ends


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


def test_activity_without_a_name_updates_1_s_after_it_has_one():
    activity = Activity()
    reports = []
    for hop in range(14):
        for _ in range(HOP):
            activity.step(True, 0, 0)
        t_ms = (hop + 1) * HOP * BLOCK_MS
        name = 0 if hop < 1 else PERSON
        if activity.decide(t_ms, True, 70, name, 37, 0):
            reports.append((activity.report.phase, activity.report.class_id, t_ms))
    onset_ms = reports[0][2]
    assert [report[:2] for report in reports] == [(ONSET, 0), (UPDATE, PERSON), (UPDATE, PERSON)]
    assert 1000 <= reports[1][2] - onset_ms <= 1100
    assert reports[2][2] - reports[1][2] > 4900


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


def test_pir_pulses_count_for_10_s_and_up_to_three():
    pir = Pir()
    assert pir.recent() == 0
    for count in (1, 2, 3, 3):
        pir.edge(1)
        pir.edge(0)
        assert pir.recent() == count
    assert pir.total == 4
    for _ in range(77):
        pir.tick()
    assert pir.recent() == 3
    for _ in range(5):
        pir.tick()
    assert pir.recent() == 0
    pir.edge(1)
    assert pir.recent() == 1


def test_pir_of_sun_and_leaves_is_muted_until_calm():
    pir = Pir()
    for _ in range(6 * 469):
        pir.tick()
        if pir._clock % 30 == 0:
            pir.edge(1)
    assert pir.is_muted()
    assert pir.recent() == 0
    for _ in range(2 * 469):
        pir.tick()
    assert not pir.is_muted()
