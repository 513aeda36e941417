# SPDX-License-Identifier: MIT
# One case of the record of starts, in an empty folder: slots_cases.py CASE; prints "ok" last.

import builtins
import os
import sys

from slots import SAFE_MODE, Slots

POWER_ON, HARD, WATCHDOG, SOFT, DEEPSLEEP, UNKNOWN = range(6)


def start(cause):
    slots = Slots(".")
    slots.choose(cause)
    return slots


def images(causes):
    return [start(cause).image for cause in causes]


def put_image(name, version):
    with open(name + ".fw", "wb") as file:
        file.write(b"groundwatch release 1\n" + bytes(68))
        file.write(b"groundwatch release 1\nboard pico_w\nversion %s\n" % version)


def update(version, number):
    # An update that proves itself.
    slots = start(POWER_ON)
    slots.open_spare()
    put_image(slots.spare(), version)
    slots.start_trial(number, 7)
    slots.leave(slots.REBOOT, "update")
    slots = start(WATCHDOG)
    assert slots.on_trial
    slots.commit()
    slots.clear()
    return slots.spare()


def power_that_flickers_is_no_crash():
    for cause in (POWER_ON, HARD, DEEPSLEEP):
        assert images([cause] * 20) == ["a"] * 20, cause
    update("0.2.0", 2_000)
    assert images([POWER_ON] * 20) == ["b"] * 20


def watchdog_resets_before_it_was_well_end_in_safe_mode():
    for cause in (WATCHDOG, SOFT, UNKNOWN):
        assert images([POWER_ON] + [cause] * 5) == ["a"] * 5 + [SAFE_MODE], cause
        slots = start(WATCHDOG)
        slots.well()
        start(POWER_ON)


def watchdog_reset_of_a_node_that_was_well_is_no_crash():
    for _ in range(20):
        slots = start(WATCHDOG)
        assert slots.image == "a"
        slots.well()
    assert images([POWER_ON] * 9) == ["a"] * 9


def power_that_flickers_between_crashes_counts_for_nothing():
    causes = [POWER_ON] + [WATCHDOG, POWER_ON] * 4
    assert images(causes) == ["a"] * 9
    assert images([WATCHDOG, POWER_ON]) == [SAFE_MODE, SAFE_MODE]


def reset_of_its_own_is_known_by_its_reason():
    slots = start(POWER_ON)
    assert (slots.cause, slots.detail) == (POWER_ON, "")
    for cause in (WATCHDOG, HARD, SOFT, UNKNOWN):
        slots.leave(slots.STUCK_TASK, "a name of more than twenty")
        slots = start(cause)
        assert (slots.cause, slots.detail) == (slots.STUCK_TASK, "a name of more than ")
    # The reason is of one reset only.
    assert start(WATCHDOG).cause == WATCHDOG
    slots.leave(slots.EXCEPTION, "OSError")
    assert start(POWER_ON).cause == POWER_ON  # power was lost before it came to that
    assert start(WATCHDOG).cause == WATCHDOG


def reset_on_purpose_is_no_crash():
    slots = start(POWER_ON)
    for _ in range(20):
        slots.leave(slots.REBOOT, "command")
        slots = start(WATCHDOG)
        assert (slots.image, slots.wait_s) == ("a", 0)


def crashes_wait_longer_each_time():
    waits = []
    slots = start(POWER_ON)
    for _ in range(12):
        waits.append(slots.wait_s)
        slots.leave(slots.EXCEPTION, "OSError")
        slots = start(HARD)
    assert waits == [0, 5, 10, 20, 40, 80, 160, 300, 300, 300, 300, 300], waits
    assert start(POWER_ON).wait_s == 0


def fallback_never_goes_below_the_floor():
    put_image("a", "0.1.0")
    assert update("0.2.0", 2_000) == "a"
    slots = start(POWER_ON)
    assert (slots.image, slots.floor, slots.path("a")) == ("b", 2_000, "./a.fw")
    assert images([WATCHDOG] * 5) == ["b"] * 4 + [SAFE_MODE]
    assert start(POWER_ON).floor == 2_000


def fallback_is_for_a_node_that_lost_both_records():
    put_image("a", "0.1.0")
    update("0.2.0", 2_000)
    for name in ("slot0", "slot1"):
        with open(name, "wb") as file:
            file.write(b"rubbish")
    assert images([POWER_ON] + [WATCHDOG] * 10) == ["a"] * 5 + ["b"] * 5 + [SAFE_MODE]


def trial_is_taken_back_after_three_starts():
    slots = start(POWER_ON)
    slots.open_spare()
    slots.start_trial(2_000, 7)
    slots.leave(slots.REBOOT, "update")
    found = [start(WATCHDOG) for _ in range(5)]
    assert [(one.image, one.on_trial) for one in found] == [("b", True)] * 3 + [("a", False)] * 2
    assert (found[3].outcome, found[3].wait_s) == (slots.ROLLED_BACK, 0)


def safe_mode_lets_the_firmware_try_and_counts_how_often():
    images([POWER_ON] + [WATCHDOG] * 4)
    for number in range(4):
        slots = start(WATCHDOG)
        assert (slots.image, slots.retries()) == (SAFE_MODE, number)
        slots.retry()
        slots.leave(slots.REBOOT, "retry")
        assert start(WATCHDOG).image == "a"
    slots = start(WATCHDOG)
    slots.retry()
    slots.leave(slots.REBOOT, "retry")
    start(WATCHDOG).well()
    assert images([WATCHDOG, POWER_ON]) == ["a", "a"]


def safe_mode_that_crashes_itself_gives_the_firmware_its_turn():
    images([POWER_ON] + [WATCHDOG] * 4)
    assert images([WATCHDOG] * 4) == [SAFE_MODE, "a", SAFE_MODE, "a"]


def failure_is_kept_and_bounded():
    slots = start(POWER_ON)

    def deep(depth):
        return deep(depth - 1) if depth else 1 // 0

    try:
        deep(60)
    except ZeroDivisionError as error:
        slots.keep_failure("sampling", error)
    with open("failure") as file:
        text = file.read()
    assert text.startswith("sampling: ZeroDivisionError("), text
    assert "Traceback" in text and 500 < len(text) <= 1_000, len(text)


def memory_that_is_short_stops_no_reset():
    def has_none(path, mode="r"):
        raise MemoryError

    slots = start(POWER_ON)
    plain_open, builtins.open = builtins.open, has_none
    slots.leave(slots.EXCEPTION, "MemoryError")
    builtins.open = plain_open
    assert start(WATCHDOG).cause == WATCHDOG


def flash_that_refuses_starts_the_image_all_the_same():
    os.mkdir("slot0")
    os.mkdir("slot1")
    slots = start(WATCHDOG)
    slots.leave(slots.REBOOT, "command")
    assert (slots.image, slots.cause) == ("a", WATCHDOG)


globals()[sys.argv[1]]()
print("ok")
