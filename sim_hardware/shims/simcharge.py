# SPDX-License-Identifier: MIT
# Board, simulated: advances the clock by the cost of work in simcosts, and counts it for a report.

import simclock
import simcosts
import simirq

# Figures of this boot, in the order of the report. Times in microseconds.
totals = {
    "erases": 0,
    "erase_us": 0,
    "programs": 0,
    "program_us": 0,
    "collections": 0,
    "collect_us": 0,
    "imports": 0,
    "import_us": 0,
    "lookups": 0,
    "lookup_us": 0,
    "verify_us": 0,
    # Of timer callbacks: started more than half a period late, and never started.
    "timer_calls": 0,
    "timer_late": 0,
    "timer_lost": 0,
    "timer_late_us_max": 0,
    "unfed_us_max": 0,
}

in_flash = None  # called in the middle of each erase and program

_costs = None  # the board's column, None while nothing is charged
_port = None
_column = 0


def choose(board):
    # Raises KeyError for a board without figures.
    global _port
    _port = simcosts.PORTS[board]
    simirq.depth = _port["scheduled"][0]


def start(board, is_worst):
    # From now on work is charged: its typical or its worst cost.
    global _costs, _column
    _costs = simcosts.COSTS[board]
    _column = 1 if is_worst else 0
    simclock.release = simirq.release


def port(name):
    # A property of the port; it applies with and without charges.
    return _port[name][0]


def cost_us(name):
    return 0 if _costs is None else _costs[name][_column]


def erase():
    # A sector of 4 KiB; no interrupt starts meanwhile.
    if in_flash is not None:
        in_flash()
    _pay("erases", "erase_us", cost_us("erase_us"), simirq.IRQ_OFF | simirq.SCHED_OFF)


def program(pages):
    # Pages of 256 bytes in one call.
    if in_flash is not None:
        in_flash()
    cost = pages * cost_us("program_us")
    if _costs is not None:
        totals["programs"] += pages - 1
    _pay("programs", "program_us", cost, simirq.IRQ_OFF | simirq.SCHED_OFF)


def collect(live_bytes, from_sources):
    # In steps of 16 KB, so that a few bytes more or less on the heap change no run.
    rate = cost_us("gc_source_us_per_kb" if from_sources else "gc_mpy_us_per_kb")
    cost = rate * 16 * ((live_bytes + 8_191) // 16_384)
    _pay("collections", "collect_us", cost, simirq.SCHED_OFF)


def imported(size, is_source):
    rate = cost_us("import_source_us_per_kb" if is_source else "import_mpy_us_per_kb")
    _pay("imports", "import_us", rate * size // 1024, simirq.SCHED_OFF)


def lookup(is_away):
    holds = simirq.SCHED_OFF if port("lookup_holds_scheduler") else 0
    _pay("lookups", "lookup_us", cost_us("lookup_away_us" if is_away else "lookup_us"), holds)


def start_radio():
    if _costs is not None:
        simclock.charge(cost_us("radio_start_us"), simirq.SCHED_OFF)


def verify_step():
    cost = cost_us("verify_step_us")
    totals["verify_us"] += cost
    simclock.charge(cost)


def timer_called(late_us, period_us):
    totals["timer_calls"] += 1
    if late_us > period_us >> 1:
        totals["timer_late"] += 1
    if late_us > totals["timer_late_us_max"]:
        totals["timer_late_us_max"] = late_us


def unfed(gap_us):
    if gap_us > totals["unfed_us_max"]:
        totals["unfed_us_max"] = gap_us


def _pay(count, sum_us, cost, holds):
    if _costs is None:
        return
    totals[count] += 1
    totals[sum_us] += cost
    simclock.charge(cost, holds)
