# SPDX-License-Identifier: MIT
"""The model: walked as it was written, refused when it is not whole."""

import struct
from array import array
from binascii import crc32
from pathlib import Path

import pytest

from ugs.detect.features import COUNT
from ugs.detect.forest import CLASSES, HEADER, Forest
from ugs.detect.verdict import Verdict

MODEL = Path(__file__).parent.parent.parent / "firmware" / "ugs" / "model.bin"
LIMITS = bytes([128 + 40] * 5 + [128 - 10, 0, 0])
NOTHING, PERSON, GROUP, ANIMAL, VEHICLE, DIGGING = 0, 1, 2, 3, 4, 5


def leaf(value):
    return bytes([255, 128 + value])


def branch(feature, threshold, left, right):
    return struct.pack("<BBH", feature, threshold, 4 + len(left)) + left + right


def packed(trees, prior=(0,) * CLASSES, features=COUNT):
    body = struct.pack("<6h", *prior)
    body += b"".join(struct.pack("<H", len(tree)) + tree for tree in trees)
    head = b"GWF1" + struct.pack("<BBH", 7, features, len(trees)) + LIMITS
    return head + struct.pack("<I", crc32(body)) + body


def one_round(**trees):
    return [trees.get(f"c{index}", leaf(0)) for index in range(CLASSES)]


def scores(model, **values):
    given = bytearray(COUNT)
    for name, value in values.items():
        given[int(name[1:])] = value
    return list(Forest(model).score(given))


def test_forest_goes_left_at_the_threshold_and_right_above():
    tree = branch(3, 100, branch(5, 7, leaf(1), leaf(2)), leaf(-128))
    model = packed(one_round(c1=tree))
    assert scores(model, f3=100, f5=7)[PERSON] == 1
    assert scores(model, f3=100, f5=8)[PERSON] == 2
    assert scores(model, f3=101)[PERSON] == -128


def test_forest_adds_rounds_and_priors_class_by_class():
    model = packed(
        [*one_round(c1=leaf(10), c4=leaf(-5)), *one_round(c1=leaf(30))], (-3, 1, 0, 0, 2, 0)
    )
    assert scores(model) == [-3, 41, 0, 0, -3, 0]


def test_forest_of_a_damaged_or_foreign_model_is_refused():
    good = packed(one_round(c2=branch(0, 9, leaf(1), leaf(2))))
    Forest(good)
    for at in range(HEADER, len(good)):
        spoiled = bytearray(good)
        spoiled[at] ^= 1
        with pytest.raises(ValueError, match="damaged"):
            Forest(bytes(spoiled))
    for bad in (b"", good[:-1], good[:HEADER], b"GWF2" + good[4:], good + bytes(26_000)):
        with pytest.raises(ValueError, match="model"):
            Forest(bad)
    with pytest.raises(ValueError, match="other features"):
        Forest(packed(one_round(), features=COUNT + 1))


def test_model_that_ships_is_whole_and_fits_the_node():
    data = MODEL.read_bytes()
    assert len(data) <= 25_600
    assert Forest(data).version >= 1


def weighed(hops, verdict=None, is_open=False, is_loud=False, strokes=8, is_gait=False):
    """The verdict after hops that each speak for one class: {class: units of 1/64}."""
    verdict = verdict or Verdict(Forest(packed(one_round())))
    for hop in hops:
        given = array("i", [0] * CLASSES)
        for index, value in hop.items():
            given[index] = value
        verdict.weigh(given, is_open, is_loud, strokes, is_gait)
    return verdict


def test_verdict_of_one_loud_hop_is_not_sure_and_of_several_is():
    assert not weighed([{PERSON: 10_000}]).is_sure(False)
    verdict = weighed([{PERSON: 10_000}] * 4)
    assert verdict.is_sure(False)
    assert verdict.class_id() == PERSON


def test_verdict_takes_no_knock_for_digging():
    for strokes in range(5):
        assert not weighed([{DIGGING: 10_000}] * 40, strokes=strokes).is_sure(False)
    assert weighed([{DIGGING: 10_000}] * 40, strokes=5).is_sure(False)
    # No other class needs a repetition.
    assert weighed([{PERSON: 300, DIGGING: 10_000}] * 40, strokes=0).is_sure(False)


def test_verdict_names_nothing_digging_that_is_loud_without_strokes_or_walks():
    digger = [{DIGGING: 300}] * 40
    assert weighed(digger, is_loud=True).class_id() == DIGGING
    assert weighed(digger, is_loud=True, strokes=1).class_id() == NOTHING
    walker = weighed([{PERSON: 200, DIGGING: 300}] * 40, is_gait=True)
    assert walker.is_sure(False) and walker.class_id() == PERSON


def test_verdict_asks_less_to_go_on_than_to_begin():
    verdict = weighed([{PERSON: 60}] * 30)
    assert not verdict.is_sure(False)
    assert verdict.is_sure(True)
    assert not weighed([{NOTHING: 90}] * 30).is_sure(True)


def test_verdict_keeps_its_name_when_the_sound_has_gone():
    verdict = weighed([{VEHICLE: 384}] * 12)
    weighed([{VEHICLE: 384}] * 12, verdict, is_open=True)
    weighed([{NOTHING: 384, PERSON: 100}] * 20, verdict, is_open=True)
    assert verdict.class_id() == VEHICLE
    assert not verdict.is_sure(True)


def test_verdict_of_another_sound_in_one_activity_changes_its_name():
    verdict = weighed([{PERSON: 384}] * 12)
    weighed([{PERSON: 384}] * 20, verdict, is_open=True)
    weighed([{5: 384}] * 40, verdict, is_open=True)
    assert verdict.class_id() == 5


def test_verdict_confidence_is_a_percentage_that_rises_with_evidence():
    levels = [weighed([{PERSON: level}] * 40).confidence_pct() for level in range(-400, 401, 40)]
    assert levels == sorted(levels)
    assert levels[0] == 50
    assert levels[-1] == 97


def test_verdict_that_two_kinds_explain_has_no_name_until_one_stands_apart():
    verdict = weighed([{PERSON: 384, ANIMAL: 360}] * 12)
    assert verdict.is_sure(False)
    assert verdict.class_id() == NOTHING  # 0 on the wire: unknown
    weighed([{PERSON: 384, ANIMAL: 360}] * 3, verdict, is_open=True)
    assert verdict.class_id() == NOTHING
    weighed([{PERSON: 384, ANIMAL: 200}] * 4, verdict, is_open=True)
    assert verdict.class_id() == PERSON


def test_verdict_of_a_small_lead_is_named_when_it_lasts():
    verdict = weighed([{PERSON: 384, ANIMAL: 360}] * 12)
    weighed([{PERSON: 384, ANIMAL: 360}] * 40, verdict, is_open=True)
    assert verdict.class_id() == PERSON


def test_verdict_of_uncountable_people_is_a_person():
    assert weighed([{PERSON: 350, GROUP: 384}] * 12).class_id() == PERSON
    assert weighed([{PERSON: 200, GROUP: 384}] * 12).class_id() == GROUP
    verdict = weighed([{PERSON: 350, GROUP: 384}] * 12)
    weighed([{PERSON: 350, GROUP: 384}] * 40, verdict, is_open=True)
    assert verdict.class_id() == GROUP


def test_verdict_keeps_its_name_while_kinds_draw_level():
    verdict = weighed([{VEHICLE: 384}] * 12)
    weighed([{VEHICLE: 384, PERSON: 384}] * 200, verdict, is_open=True)
    assert verdict.class_id() == VEHICLE


def test_verdict_names_what_is_loud_though_nothing_scores_a_little_higher():
    doubtful = weighed([{0: 40, 4: 0, 1: -300, 2: -300, 3: -300, 5: -300}] * 40)
    assert not doubtful.is_sure(True)
    loud = weighed(
        [{0: 40, 4: 0, 1: -300, 2: -300, 3: -300, 5: -300}] * 40, is_open=True, is_loud=True
    )
    assert loud.class_id() == 4 and loud.confidence_pct() == 50


def test_verdict_leaves_what_is_loud_without_a_name_where_nothing_scores_far_higher():
    loud = weighed(
        [{0: 200, 4: 0, 1: -300, 2: -300, 3: -300, 5: -300}] * 40, is_open=True, is_loud=True
    )
    assert loud.class_id() == 0
