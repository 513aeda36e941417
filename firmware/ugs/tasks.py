# SPDX-License-Identifier: MIT
# tasks: keeps the tasks of a node running, and feeds the watchdog only while all make progress.

import asyncio
import gc
import sys
from time import ticks_diff, ticks_ms

from micropython import const

from ugs.lines import note

_RESTART_AFTER_MS = const(1_000)
_FEED_EVERY_MS = const(500)


async def until_one_ends(*coroutines):
    # Runs them together until the first one returns or raises, cancels the others, and raises its
    # error.
    ended = asyncio.Event()
    errors = []

    async def watch(coroutine):
        try:
            await coroutine
        except Exception as error:
            errors.append(error)
        ended.set()

    tasks = [asyncio.create_task(watch(coroutine)) for coroutine in coroutines]
    try:
        await ended.wait()
    finally:
        for task in tasks:
            task.cancel()
    for task in tasks:
        try:
            await task
        except asyncio.CancelledError:
            pass
    if errors:
        raise errors[0]


class Supervisor:
    # on_fault(name, error) is called for every task that ended by an exception; the task is started
    # again a second later.
    #   restarts: count of these

    def __init__(self, on_fault):
        self.restarts = 0
        self._on_fault = on_fault
        # name -> [longest time without progress in ms, ticks_ms of the last progress]
        self.progress = {}

    def start(self, name, make, limit_ms):
        # Runs make() as a task that calls alive(name) at least every limit_ms.
        self.progress[name] = [limit_ms, ticks_ms()]
        return asyncio.create_task(self._keep(name, make))

    def alive(self, name):
        self.progress[name][1] = ticks_ms()

    def stuck(self):
        # The name of a task without progress, or None.
        now = ticks_ms()
        for name, (limit_ms, tick) in self.progress.items():
            if ticks_diff(now, tick) > limit_ms:
                return name
        return None

    async def feed(self, watchdog):
        # Feeds until a task is stuck; returns its name.
        while True:
            stuck = self.stuck()
            if stuck is not None:
                note("watchdog starved task=%s" % stuck)
                return stuck
            watchdog.feed()
            await asyncio.sleep_ms(_FEED_EVERY_MS)

    def _report(self, name, error):
        # If memory is short this may also fail; the task is started again anyway.
        try:
            self._on_fault(name, error)
        except Exception as failure:
            print("task fault not reported cause=%r" % failure)

    async def _keep(self, name, make):
        while True:
            try:
                await make()
            except Exception as error:
                self.restarts += 1
                note("task failed name=%s restarts=%d" % (name, self.restarts))
                sys.print_exception(error)
                self._report(name, error)
            gc.collect()
            await asyncio.sleep_ms(_RESTART_AFTER_MS)
