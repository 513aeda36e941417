# SPDX-License-Identifier: MIT
"""A level that stays high for seconds opens an activity of any class; knocks and gusts do not."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ugs.detect.rise import Rise

HOP_S = 0.512
DB = 64 / 6.02  # levels count 64 to the octave


def levels(*parts):
    """(seconds, dB over the floor) one after another, as levels of hops"""
    return [int(db * DB) for seconds, db in parts for _ in range(round(seconds / HOP_S))]


def openings(given_levels, name=False):
    rise, found, is_open, quiet = Rise(), [], False, 0
    for hop, level in enumerate(given_levels):
        rise.take(level)
        if not is_open and rise.is_loud:
            is_open, quiet = True, 0
            found.append(hop * HOP_S)
        elif is_open:
            quiet = 0 if rise.goes_on else quiet + 1
            if quiet >= 12:
                is_open = False
                rise.end(name)
    return found, rise


def test_ten_seconds_of_a_passing_car_open_one_activity_within_five():
    found, _ = openings(levels((60, 4), (12, 22), (60, 4)))
    assert len(found) == 1 and 60 < found[0] < 65.5


def test_a_long_low_rise_opens_one_as_well():
    found, _ = openings(levels((60, 4), (25, 12), (60, 4)))
    assert len(found) == 1 and found[0] < 80


def test_one_knock_of_any_level_opens_nothing():
    for db in (15, 30, 48):
        assert openings(levels((60, 4), (2, db), (60, 4)))[0] == []


def test_gusts_all_the_time_raise_the_bar_themselves():
    rng = np.random.default_rng(3)
    gusts = np.repeat(rng.normal(11, 5, 300), 12) * DB  # of 6 s each
    found, _ = openings([int(x) for x in gusts])
    assert len(found) <= 1
    # and a truck is louder than these
    found, _ = openings([int(x) for x in gusts] + levels((15, 42), (30, 11)))
    assert len(found) >= 1


def test_a_machine_that_goes_on_for_an_hour_is_one_activity_of_two_minutes():
    found, rise = openings(levels((60, 4), (3600, 20)))
    assert len(found) == 1
    assert not rise.is_loud and not rise.goes_on


def test_what_stays_without_a_name_waits_half_a_minute_and_is_counted():
    passes = levels((60, 4), (10, 25), (15, 4), (10, 25), (60, 4))
    found, rise = openings(passes)
    assert (len(found), rise.held_back) == (1, 1)
    found, rise = openings(passes, name=True)
    assert (len(found), rise.held_back) == (2, 0)


def test_the_second_of_two_vehicles_is_not_hidden_by_the_first():
    found, _ = openings(levels((60, 4), (40, 30), (60, 4), (15, 20), (30, 4)))
    assert len(found) == 2


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(-5000, 5000), min_size=1, max_size=400))
def test_any_levels_leave_it_whole(given_levels):
    _, rise = openings(given_levels)
    assert 0 <= rise.held_back <= len(given_levels)
    # and after four minutes of calm it opens for a car again
    found, _ = openings(given_levels + levels((300, 4), (12, 25)))
    assert found and found[-1] > len(given_levels) * HOP_S
