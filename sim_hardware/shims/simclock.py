# SPDX-License-Identifier: MIT
# Board layer, simulated: the clock and the event queue of all simulated parts.
#
# Time is one integer, microseconds since the start of the take (it may be negative: a lead-in).
#   virtual   time stands still while code runs and jumps to the next deadline when the node waits
#   real      time is the host's; events run late when it is busy, but each reads its own deadline
# In both modes `now()` in a callback equals its deadline, so a waveform is sampled at exact times
# under any load of the host.

import sys

import utime

# A loop that polls ticks_ms() without a wait would stop virtual time. After this
# many reads in a row without a wait, every further read costs SPIN_STEP_US.
SPIN_READS = 5000
SPIN_STEP_US = 100

EXIT_END = 0
EXIT_CRASH = 1
EXIT_USAGE = 2
EXIT_RESET = 3

virtual = True
boot_us = 0  # sim time at which this boot started: uptime counts from here
dirty = False  # a simulated stream changed state: waiting tasks must be checked
held = 0  # what waits while the processor is busy (simirq): interrupts, scheduled callbacks
release = None  # called when nothing is held any more
waits = None  # called before each wait of the loop
outside = None  # hold(t_us): virtual time waits for the host; True when bytes arrived

_now_us = 0
_in_event = False
_debt_us = 0  # cost of events, charged before the next wait
_reads = 0
_real_zero_us = 0  # monotonic host time of sim time 0 (real mode)
_host_us = 0  # the host's ticks, unwrapped: a 32-bit host wraps them every 18 minutes
_host_ticks = utime.ticks_us()
_events = []  # [deadline_us, fire, cancelled], latest deadline first, so the next event is last
_on_exit = []


def start_virtual(start_us):
    global virtual, boot_us, _now_us
    virtual = True
    boot_us = _now_us = start_us


def start_real(zero_epoch_ms):
    # The host's wall clock is read once; from then on its monotonic clock counts.
    global virtual, boot_us, _real_zero_us, _now_us
    virtual = False
    _real_zero_us = zero_epoch_ms * 1000 - utime.time_ns() // 1000 + _host()
    boot_us = _now_us = _host() - _real_zero_us


def _host():
    global _host_us, _host_ticks
    ticks = utime.ticks_us()
    _host_us += utime.ticks_diff(ticks, _host_ticks)
    _host_ticks = ticks
    return _host_us


def now():
    # Sim time in microseconds.
    global _reads
    if virtual:
        _reads += 1
        if _reads > SPIN_READS and not _in_event:
            run_until(_now_us + SPIN_STEP_US)
            _reads = SPIN_READS
        return _now_us
    if _in_event:
        return _now_us
    t_us = _host() - _real_zero_us
    if _events and _events[-1][0] <= t_us:
        # Timers must fire in code that never waits: reading the time is a scheduling point, as any
        # bytecode is on a board.
        run_until(t_us)
    return t_us


def uptime_us():
    return now() - boot_us


def at(deadline_us, fire):
    # Calls fire(deadline_us) at that instant; what it returns, unless None, is its next deadline.
    event = [deadline_us, fire, False]
    _insert(event)
    return event


def cancel(event):
    event[2] = True
    if event in _events:
        _events.remove(event)


def _insert(event):
    deadline_us = event[0]
    i = len(_events)
    # Of equal deadlines the one scheduled first runs first, so it is nearer the end.
    while i and _events[i - 1][0] <= deadline_us:
        i -= 1
    _events.insert(i, event)


def next_deadline():
    return _events[-1][0] if _events else None


def fire_next():
    global _now_us, _in_event, _reads
    event = _events.pop()
    _now_us = event[0]
    _in_event = True
    try:
        again_us = event[1](_now_us)
    finally:
        _in_event = False
    _reads = 0
    if again_us is not None and not event[2]:
        event[0] = again_us
        _insert(event)


def run_until(target_us):
    # Runs every event due by target_us. Inside a callback no other event may run, and time stands.
    global _now_us, _reads
    if _in_event:
        return
    while _events and _events[-1][0] <= target_us:
        fire_next()
    _reads = 0
    if virtual:
        _now_us = target_us


def sleep_us(duration_us):
    # A blocking wait: timers keep running, tasks do not.
    if duration_us <= 0 or _in_event:
        return
    charge(0)
    target_us = now() + duration_us
    if virtual:
        run_until(target_us)
        return
    while True:
        wait_us = target_us - now()
        if wait_us <= 0:
            return
        if _events:
            wait_us = min(wait_us, _events[-1][0] + _real_zero_us - _host())
        if wait_us > 0:
            utime.sleep_us(wait_us)


def charge(cost_us, holds=0):
    # The processor is busy that long: time passes, tasks do not run, and `holds` names what waits
    # (simirq). Inside an event time stands; the cost is charged before the next wait.
    global held, _debt_us, _now_us, _in_event
    if _in_event or held:
        _debt_us += cost_us
        return
    cost_us += _debt_us
    _debt_us = 0
    if cost_us <= 0:
        return
    until_us = now() + cost_us
    held = holds
    if virtual:
        run_until(until_us)
    else:
        while until_us > _host() - _real_zero_us:
            utime.sleep_us(until_us - _host() + _real_zero_us)
        run_until(_host() - _real_zero_us)
    if not holds:
        return
    _in_event = True
    if not virtual:
        _now_us = max(until_us, _host() - _real_zero_us)
    try:
        release()
    finally:
        held = 0
        _in_event = False


def on_exit(call):
    _on_exit.append(call)


def leave(code):
    # Ends the process as a power cut or a reset ends a node: without finally blocks and flushes.
    for call in _on_exit:
        call()
    try:
        import ffi

        ffi.open(None).func("v", "_exit", "i")(code)
    except (ImportError, OSError):
        sys.exit(code)  # a build without ffi: SystemExit passes `except Exception`


# The asyncio loop -----------------------------------------------------------------------------


def install_asyncio():
    # asyncio's TaskQueue is C and stamps ready tasks with the host's ticks, not with those of
    # `time`. So the loop has its own ticks, which start one hour ahead of the host's. A ready task
    # is then always older than a sleeping one, at any speed of virtual time.
    import asyncio.core as core

    core.ticks_diff = utime.ticks_diff
    core.ticks_add = utime.ticks_add
    if not virtual:
        core.ticks = utime.ticks_ms
        core.IOQueue.wait_io_event = _real_wait(core)
        return
    zero_ms = utime.ticks_add(utime.ticks_ms(), 3_600_000)
    start_ms = boot_us // 1000

    def loop_ticks():
        return utime.ticks_add(zero_ms, _now_us // 1000 - start_ms)

    core.ticks = loop_ticks
    core.IOQueue.wait_io_event = _virtual_wait(core)
    _install_flag()


def _install_flag():
    import asyncio.event as event

    plain_set = event.ThreadSafeFlag.set

    def set(self):
        global dirty
        dirty = True
        plain_set(self)

    event.ThreadSafeFlag.set = set


def _virtual_wait(core):
    def wait_io_event(queue, dt_ms):
        global _now_us, _reads, dirty
        head = core._task_queue.peek()
        if waits is not None:
            waits()
        if _debt_us:
            charge(0)
            return  # the loop computes again what is due
        if dt_ms == 0:
            _reads += 1
            if _reads > SPIN_READS:  # tasks that only yield and never sleep
                run_until(_now_us + SPIN_STEP_US)
                _reads = SPIN_READS
        target_us = None if dt_ms < 0 else (_now_us // 1000 + dt_ms) * 1000
        if queue.map and _wake_ready(core, queue):
            return
        dirty = False
        while _events:
            if target_us is not None and _events[-1][0] > target_us:
                break
            if outside is not None and outside(_events[-1][0]):
                continue
            fire_next()
            if dirty:
                dirty = False
                if _wake_ready(core, queue):
                    return
            if core._task_queue.peek() is not head:
                return
        if target_us is None:
            print("sim: every task waits for something that cannot happen")
            leave(EXIT_CRASH)
        if target_us > _now_us:
            if outside is not None and outside(target_us):
                return
            _now_us = target_us
            _reads = 0

    return wait_io_event


def _wake_ready(core, queue):
    # Replaces select.poll for simulated streams, with the same ioctl.
    woken = False
    for entry in list(queue.map.values()):
        stream = entry[2]
        if entry[0] is not None and stream.ioctl(3, 1) & ~4:
            core._task_queue.push(entry[0])
            entry[0] = None
            woken = True
        if entry[1] is not None and stream.ioctl(3, 4) & ~1:
            core._task_queue.push(entry[1])
            entry[1] = None
            woken = True
        if entry[0] is None and entry[1] is None:
            queue._dequeue(stream)
    return woken


def _real_wait(core):
    plain_wait = core.IOQueue.wait_io_event

    def wait_io_event(queue, dt_ms):
        head = core._task_queue.peek()
        if waits is not None:
            waits()
        charge(0)
        run_until(_host() - _real_zero_us)
        if core._task_queue.peek() is not head:
            return
        if _events:
            until_us = _events[-1][0] + _real_zero_us - _host()
            event_ms = max(0, (until_us + 999) // 1000)
            if dt_ms < 0 or event_ms < dt_ms:
                dt_ms = event_ms
        plain_wait(queue, dt_ms)

    return wait_io_event
