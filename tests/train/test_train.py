# SPDX-License-Identifier: MIT
"""Training: the same from one seed, disjoint from test data, and evaluated as it was trained."""

import json
from pathlib import Path

import numpy as np
import pytest

from sim_hardware.fastpath import FEATURES
from sim_hardware.world.soil import SOILS
from tools.cli import main
from tools.errors import UserError
from tools.score.suite import HELD_OUT, read_suite
from tools.train import cli, limits
from tools.train.fit import fit, pack, scores
from tools.train.listen import CLASSES, LEFT_OUT, Hops, listen
from tools.train.names import NAMES
from tools.train.sites import APART, VALIDATION_SOILS, SiteJob, site
from ugs.detect.features import COUNT
from ugs.detect.forest import CLASSES as NODE_CLASSES
from ugs.detect.forest import Forest

LIMITS = bytes([160] * 5 + [118, 0, 0])


def hops(count, seed=1):
    """Hops of which two features determine the class, the others are random."""
    rng = np.random.default_rng(seed)
    features = rng.integers(0, 256, (count, FEATURES), dtype=np.uint8)
    labels = (features[:, 3] // 86 * 2 + features[:, 40] // 128).astype(np.uint8)
    return features, labels


def test_names_and_classes_are_those_of_the_node():
    assert len(NAMES) == len(set(NAMES)) == FEATURES == COUNT
    assert len(CLASSES) == NODE_CLASSES


def test_trees_of_a_model_on_a_node_give_the_scores_of_training():
    features, labels = hops(3000)
    trees = fit(features, labels, cli.weights(labels), 1)
    packed = pack(trees, 3, LIMITS)
    forest = Forest(packed)
    expected = scores(trees, features[:200])
    assert [list(forest.score(row.tobytes())) for row in features[:200]] == expected.tolist()
    assert np.mean(expected.argmax(axis=1) == labels[:200]) > 0.9
    assert (forest.version, forest.limits) == (3, LIMITS)


def test_trees_from_one_seed_are_the_same_bytes():
    features, labels = hops(2000)
    one, other = (pack(fit(features, labels, cli.weights(labels), 7), 1, LIMITS) for _ in range(2))
    assert one == other


def test_sites_from_one_seed_are_the_same_and_no_two_are_alike():
    assert site("train", 5) == site("train", 5)
    assert len({repr(site("train", seed).scenario) for seed in range(40)}) == 40
    assert site("check", 5) != site("train", 5)


def test_sites_share_neither_soil_nor_seed_with_the_held_out_suite():
    held_out = read_suite(HELD_OUT)
    kept = {job.scenario.soil for job in held_out}
    learned = [site("train", seed).scenario.earth.shear_m_s for seed in range(1, 201)]
    for soil in kept:
        known = SOILS[soil].shear_m_s
        assert all(abs(shear / known - 1) > APART for shear in learned)
    assert min(learned) < 100 < 400 < max(learned)
    assert not kept & set(VALIDATION_SOILS)
    assert min(job.seed for job in held_out) > 9000


def test_labels_are_those_of_audible_actors_and_leave_doubtful_hops_out(micropython):
    job = next(j for j in (site("train", s) for s in range(1, 99)) if j.scenario.actors)
    found = listen(SiteJob(job.scenario, job.seed, 220.0), micropython, vary_spectrum=True)
    again = listen(SiteJob(job.scenario, job.seed, 220.0), micropython, vary_spectrum=True)
    assert np.array_equal(found.features, again.features)
    assert np.array_equal(found.labels, again.labels)
    labels = set(found.labels.tolist())
    actors = {actor.class_name for actor in job.scenario.actors[:2]}
    assert labels <= {0, LEFT_OUT, *(CLASSES.index(name) for name in actors)}
    assert LEFT_OUT in labels
    assert found.features.shape == (found.labels.size, FEATURES)


def test_limit_lies_where_the_tail_of_noise_meets_the_wanted_rate():
    rng = np.random.default_rng(3)
    peaks = (64 + rng.exponential(20, 3000)).astype(int).tolist()
    found = limits.limit(peaks, days=30.0, per_day=0.5)
    # 100 peaks a day that fall off by e every 20: 0.5 a day are left above 64 + 20 ln(100 / 0.5)
    true = 64 + 20 * np.log(100 / 0.5)
    assert found.value == pytest.approx(true, abs=12)
    assert found.low < true < found.high
    assert found.value > limits.limit(peaks, days=30.0, per_day=2.0).value


def test_span_of_a_limit_holds_the_true_one_nine_times_in_ten():
    true = 64 + 20 * np.log(100 / 0.5)
    held = 0
    for seed in range(60):
        rng = np.random.default_rng([seed, 1])
        peaks = (64 + rng.exponential(20, 1500)).round().astype(int).tolist()
        found = limits.limit(peaks, days=15.0, per_day=0.5, seed=seed)
        held += found.low <= true <= found.high
    assert 42 <= held <= 60


def test_limit_from_too_few_peaks_is_refused():
    with pytest.raises(UserError, match="too few"):
        limits.limit([100] * 10, 1.0, 0.5)


def test_limits_at_the_edge_of_what_a_node_holds_are_refused():
    valid = limits.Limit(120.0, 100.0, 140.0, 300)
    found = dict.fromkeys(CLASSES[1:], valid)
    assert list(limits.limits(found))[:5] == [158] * 5
    for value in (-3.0, 380.0):
        with pytest.raises(UserError, match="animal"):
            limits.limits({**found, "animal": limits.Limit(value, 0, 0, 300)})


def test_quiet_peaks_count_a_long_noise_once():
    score = np.zeros((200, 6), np.int32)
    score[50:60, 2] = 300
    score[150:155, 5] = 300
    calm = np.zeros(200, np.uint8)
    hops_of = Hops(np.zeros((200, FEATURES), np.uint8), calm, np.arange(200) * 0.512, calm)
    peaks = limits.quiet_peaks([(hops_of, score)])
    over = {index: sum(x > 0 for x in levels) for index, levels in peaks.levels.items()}
    assert over == {1: 0, 2: 1, 3: 0, 4: 0, 5: 1}


def test_quiet_peaks_leave_out_a_signal_that_fades_after_a_target_has_left():
    score = np.zeros((200, 6), np.int32)
    score[40:62, 5] = 300
    labels = np.zeros(200, np.uint8)
    labels[40:55] = 5
    node = np.zeros(200, np.uint8)
    hops_of = Hops(np.zeros((200, FEATURES), np.uint8), labels, np.arange(200) * 0.512, node)
    peaks = limits.quiet_peaks([(hops_of, score)])
    assert max(level for levels in peaks.levels.values() for level in levels) < 16
    assert peaks.days == pytest.approx((200 - 15 - 20) * 0.512 / 86_400)


@pytest.mark.parametrize("words", [["--sites", "0"], ["--version", "256"], ["--workers", "0"]])
def test_train_with_a_number_out_of_range_is_one_line(words, tmp_path, capsys):
    assert main(["train", "--out", str(tmp_path / "m.bin"), *words]) == 2
    assert "is outside 1.." in capsys.readouterr().err


@pytest.mark.slow
def test_train_from_the_command_line_writes_model_and_card(tmp_path, capsys):
    out, card = tmp_path / "model.bin", tmp_path / "model.md"
    words = [
        "train",
        "--sites",
        "14",
        "--check",
        "3",
        "--out",
        str(out),
        "--card",
        str(card),
        "--json",
    ]
    assert main(words) == 0
    summary = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert summary["bytes"] == len(out.read_bytes())
    assert Forest(Path(out).read_bytes()).version == 1
    assert "Quiet ground of" in card.read_text()
