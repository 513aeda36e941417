# SPDX-License-Identifier: MIT
"""The simulated clock: exact timers, time that jumps, code that never waits, equal runs."""

import time
from collections.abc import Callable
from typing import Any

Bench = Any


def test_timer_in_a_virtual_hour_ticks_exactly(bench: Bench) -> None:
    started_s = time.monotonic()
    code, lines = bench.power_on(
        "import asyncio, machine, time\n"
        "n = 0\n"
        "odd = 0\n"
        "last = time.ticks_us()\n"
        "def tick(timer):\n"
        "    global n, odd, last\n"
        "    now = time.ticks_us()\n"
        "    odd += time.ticks_diff(now, last) != 25000\n"
        "    last = now\n"
        "    n += 1\n"
        "machine.Timer(freq=40, callback=tick)\n"
        "async def main():\n"
        "    await asyncio.sleep(3600)\n"
        "    print(n, odd, time.ticks_ms())\n"
        "asyncio.run(main())\n"
    )
    assert (code, lines) == (0, ["144000 0 3600000"])
    assert time.monotonic() - started_s < 20


def test_sleep_of_a_day_takes_no_real_time(bench: Bench) -> None:
    started_s = time.monotonic()
    code, lines = bench.power_on(
        "import asyncio, time\n"
        "async def main():\n"
        "    await asyncio.sleep(86400)\n"
        "    print(time.ticks_ms(), time.time() - 1609459200)\n"
        "asyncio.run(main())\n"
    )
    assert (code, lines) == (0, ["86400000 86400"])
    assert time.monotonic() - started_s < 5


def test_ticks_us_wrap_at_the_boards_period_on_every_host(bench: Bench) -> None:
    _, lines = bench.power_on(
        "import time\n"
        "time.sleep(1073)\n"
        "a = time.ticks_us()\n"
        "time.sleep(2)\n"
        "b = time.ticks_us()\n"
        "print(a, b, time.ticks_diff(b, a), time.ticks_add(a, 2000000) == b)\n"
    )
    assert lines == [f"1073000000 {1075000000 - 2**30} 2000000 True"]


def test_one_shot_timer_fires_once_and_deinit_stops_a_periodic_one(bench: Bench) -> None:
    _, lines = bench.power_on(
        "import machine, time\n"
        "def once(timer): print('once', time.ticks_ms())\n"
        "def twice(timer):\n"
        "    global n\n"
        "    n += 1\n"
        "    if n == 2: timer.deinit()\n"
        "n = 0\n"
        "machine.Timer(mode=machine.Timer.ONE_SHOT, period=70, callback=once)\n"
        "machine.Timer(period=10, callback=twice)\n"
        "time.sleep_ms(500)\n"
        "print(n)\n"
    )
    assert lines == ["once 70", "2"]


def test_timers_due_at_one_instant_run_in_the_order_they_were_started(bench: Bench) -> None:
    _, lines = bench.power_on(
        "import machine, time\n"
        "seen = []\n"
        "for name in 'abc':\n"
        "    machine.Timer(period=5, callback=lambda t, name=name: seen.append(name))\n"
        "time.sleep_ms(10)\n"
        "print(''.join(seen))\n"
    )
    assert lines == ["abcabc"]


def test_timer_without_hard_interrupts_refuses_the_argument_as_in_1_25(
    bench: Bench,
) -> None:
    _, lines = bench.power_on(
        "import machine\n"
        "try:\n"
        "    machine.Timer(freq=1, callback=print, hard=True)\n"
        "except TypeError:\n"
        "    print('refused')\n"
    )
    assert lines == ["refused"]


def test_flag_set_by_a_timer_wakes_its_task_at_that_instant(bench: Bench) -> None:
    _, lines = bench.power_on(
        "import asyncio, machine, time\n"
        "flag = asyncio.ThreadSafeFlag()\n"
        "machine.Timer(period=7, callback=lambda t: flag.set())\n"
        "async def main():\n"
        "    for _ in range(3):\n"
        "        await flag.wait()\n"
        "        print(time.ticks_ms())\n"
        "asyncio.run(main())\n"
    )
    assert lines == ["7", "14", "21"]


def test_tasks_wake_in_the_order_of_their_deadlines(bench: Bench) -> None:
    # The loop's queue is C and stamps ready tasks with the host's ticks; sleeping ones must still
    # come in virtual order, and a task made ready must not overtake the clock.
    _, lines = bench.power_on(
        "import asyncio, time\n"
        "async def nap(name, ms):\n"
        "    await asyncio.sleep_ms(ms)\n"
        "    print(name, time.ticks_ms())\n"
        "async def main():\n"
        "    event = asyncio.Event()\n"
        "    async def waiter():\n"
        "        await event.wait()\n"
        "        print('woken', time.ticks_ms())\n"
        "    asyncio.create_task(waiter())\n"
        "    many = (('c', 30), ('a', 10), ('b', 20))\n"
        "    naps = [asyncio.create_task(nap(*one)) for one in many]\n"
        "    await asyncio.sleep_ms(15)\n"
        "    event.set()\n"
        "    for one in naps: await one\n"
        "    try:\n"
        "        await asyncio.wait_for(nap('never', 9000), 1)\n"
        "    except asyncio.TimeoutError:\n"
        "        print('late', time.ticks_ms())\n"
        "asyncio.run(main())\n"
    )
    assert lines == ["a 10", "woken 15", "b 20", "c 30", "late 1030"]


def test_loop_that_only_polls_the_clock_still_ends(bench: Bench) -> None:
    code, lines = bench.power_on(
        "import time\n"
        "start = time.ticks_ms()\n"
        "while time.ticks_diff(time.ticks_ms(), start) < 50: pass\n"
        "print('over')\n"
    )
    assert (code, lines) == (0, ["over"])


def test_task_that_only_yields_does_not_stop_the_others(bench: Bench) -> None:
    code, lines = bench.power_on(
        "import asyncio\n"
        "async def spin():\n"
        "    while True: await asyncio.sleep_ms(0)\n"
        "async def main():\n"
        "    asyncio.create_task(spin())\n"
        "    await asyncio.sleep_ms(40)\n"
        "    print('over')\n"
        "asyncio.run(main())\n"
    )
    assert (code, lines) == (0, ["over"])


def test_tasks_that_can_never_wake_end_with_a_message(bench: Bench) -> None:
    code, lines = bench.power_on(
        "import asyncio\n"
        "flag = asyncio.ThreadSafeFlag()\n"
        "async def main(): await flag.wait()\n"
        "asyncio.run(main())\n"
    )
    assert code == 1
    assert lines == ["sim: every task waits for something that cannot happen"]


def test_two_runs_of_one_seed_are_equal_and_another_seed_differs(
    make_bench: Callable[[str], Bench],
) -> None:
    main = (
        "import asyncio, machine, os, random, time\n"
        "adc = machine.ADC(26)\n"
        "sums = []\n"
        "machine.Timer(freq=250, callback=lambda t: sums.append(adc.read_u16()))\n"
        "async def main():\n"
        "    for _ in range(20): await asyncio.sleep_ms(random.randint(1, 99))\n"
        "    print(time.ticks_us(), os.urandom(8), sums)\n"
        "asyncio.run(main())\n"
    )
    outputs = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        bench = make_bench(name)
        bench.settings["seed"] = seed
        outputs.append(bench.power_on(main))
    assert outputs[0] == outputs[1]
    assert outputs[0] != outputs[2]


def test_real_time_callbacks_that_come_late_read_their_own_deadlines(bench: Bench) -> None:
    # utime is the host's clock: the node is stalled for 300 ms, then catches up to the count.
    bench.real_time()
    bench.feed(list(range(2000)))
    _, lines = bench.power_on(
        "import machine, time, utime, simhardware, simclock\n"
        "steps = []\n"
        "last = None\n"
        "def tick(timer):\n"
        "    global last\n"
        "    now = time.ticks_us()\n"
        "    if last is not None: steps.append(time.ticks_diff(now, last))\n"
        "    last = now\n"
        "machine.Timer(freq=250, callback=tick)\n"
        "time.sleep_ms(20)\n"
        "utime.sleep_ms(300)\n"
        "time.sleep_ms(20)\n"
        "print(set(steps), 80 <= len(steps) <= 100)\n"
    )
    assert lines == ["{4000} True"]


def test_real_time_asyncio_sleeps_as_long_as_the_host_does(bench: Bench) -> None:
    bench.real_time()
    started_s = time.monotonic()
    _, lines = bench.power_on(
        "import asyncio, machine, time\n"
        "n = 0\n"
        "def tick(timer):\n"
        "    global n\n"
        "    n += 1\n"
        "start = time.ticks_ms()\n"
        "machine.Timer(freq=100, callback=tick)\n"
        "async def main():\n"
        "    await asyncio.sleep_ms(500)\n"
        "    passed = time.ticks_diff(time.ticks_ms(), start) // 10\n"
        "    print(-1 <= passed - n <= 1, n >= 49)\n"
        "asyncio.run(main())\n"
    )
    assert lines == ["True True"]
    assert time.monotonic() - started_s >= 0.5
