# SPDX-License-Identifier: MIT
"""Commands: `groundwatch gateway`: run the gateway until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import logging
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import uvloop

from gateway import config
from gateway.app import Gateway
from gateway.errors import ConfigError
from gateway.model import text
from gateway.service.outcome import Outcome
from gateway.service.systemd import ServiceManager

_CYCLES_AFTER = 50_000  # new containers between two looks for garbage cycles


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    config.add_option(parser)
    parser.add_argument("--json", action="store_true", help="print events as JSON lines")
    parser.add_argument("--example", action="store_true", help="print an example configuration")


def run(args: argparse.Namespace) -> int:
    """0 after a clean stop. Raises GroundwatchError for what the user can mend."""
    if args.example:
        print(config.EXAMPLE, end="")
        return 0
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(message)s")
    try:
        uvloop.run(_serve(partial(config.load_config, args.config), args.json))
    except ExceptionGroup as group:
        # One task failed and took the others along: its error is the one to tell.
        raise group.exceptions[0] from None
    return 0


async def _serve(read: Callable[[], config.GatewayConfig], as_json: bool) -> None:
    stop = asyncio.Event()
    manager = ServiceManager(os.environ)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with Gateway(read(), read) as gateway:
        reloads: set[asyncio.Task[None]] = set()
        loop.add_signal_handler(signal.SIGHUP, lambda: reloads.add(_reload(gateway, reloads)))
        # What is loaded stays, and what comes is freed by its last reference: to look for cycles
        # every 700 objects cost a tenth of the door's time.
        gc.freeze()
        gc.set_threshold(_CYCLES_AFTER)
        host, port = gateway.address
        if as_json:
            gateway.on_outcome(_print_lines)
            _print(
                {
                    "type": "ready",
                    "console": gateway.console_url,
                    "broker_host": host,
                    "broker_port": port,
                }
            )
        else:
            print(f"console {gateway.console_url}  broker {host}:{port}", flush=True)
        manager.ready()
        feeding = asyncio.create_task(manager.feed(), name="systemd watchdog")
        failed = asyncio.create_task(gateway.wait())
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({failed, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        # The last commit may take longer than the watchdog waits: TimeoutStopSec bounds it.
        manager.stopping()
        feeding.cancel()
        if failed.done():
            failed.result()
        failed.cancel()
        if as_json:
            _print({"type": "summary", **gateway.summary()})


def _reload(gateway: Gateway, tasks: set[asyncio.Task[None]]) -> asyncio.Task[None]:
    """SIGHUP: nobody waits for the answer; what is wrong is in the log."""

    async def load() -> None:
        with contextlib.suppress(ConfigError):
            await gateway.reload()

    task = asyncio.create_task(load(), name="reload")
    task.add_done_callback(tasks.discard)
    return task


def _print_lines(outcome: Outcome) -> None:
    for line in outcome.lines():
        _print(line)


def _print(line: dict[str, Any]) -> None:
    print(text.format_json(line) if "t_s" in line else json.dumps(line), flush=True)
