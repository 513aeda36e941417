# SPDX-License-Identifier: MIT
"""Commands: `groundwatch gateway run`: run the gateway until it is stopped."""

from __future__ import annotations

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
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway import config as configuration
from gateway.commands.options import config_option, json_option
from gateway.errors import ConfigError
from gateway.model import text
from gateway.service import daemon_log
from gateway.service.outcome import Outcome
from gateway.service.systemd import ServiceManager

if TYPE_CHECKING:
    from gateway.app import Gateway

_LOG = logging.getLogger(__name__)
_CYCLES_AFTER = 50_000  # new containers between two looks for garbage cycles


@click.command()
@config_option()
@click.option("--example", is_flag=True, help="print an example configuration")
@json_option("print events as JSON lines")
def run(config: Path, example: bool, as_json: bool) -> None:
    """Until it is stopped. Raises GroundwatchError for what the user can correct."""
    if example:
        print(configuration.EXAMPLE, end="")
        return
    import uvloop  # with the gateway half a second of imports, which a help does not need

    log, events = daemon_log.start(as_json), daemon_log.LineWriter(sys.stdout.fileno())
    try:
        uvloop.run(_serve(partial(configuration.load_config, config), as_json, events))
    except ExceptionGroup as group:
        # One task failed and ended the others: its error is the one to report.
        _LOG.critical("the gateway ends", exc_info=group.exceptions[0])
        raise group.exceptions[0] from None
    finally:
        events.close()
        log.close()


async def _serve(
    read: Callable[[], configuration.GatewayConfig], as_json: bool, events: daemon_log.LineWriter
) -> None:
    from gateway.app import Gateway

    stop = asyncio.Event()
    manager = ServiceManager(os.environ)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with Gateway(read(), read) as gateway:
        reloads: set[asyncio.Task[None]] = set()
        loop.add_signal_handler(signal.SIGHUP, lambda: reloads.add(_reload(gateway, reloads)))
        # What is loaded stays, and later objects are freed by their last reference: the search for
        # cycles, every 700 objects, took a tenth of the time of intake.
        gc.freeze()
        gc.set_threshold(_CYCLES_AFTER)
        host, port = gateway.address
        if as_json:
            gateway.on_outcome(lambda outcome: _print_lines(events, outcome))
            ready = {"console": gateway.console_url, "broker_host": host, "broker_port": port}
            events.put(json.dumps({"type": "ready", **ready}))
        else:
            events.put(f"console {gateway.console_url}  broker {host}:{port}")
        _LOG.info("gateway ready site=%s broker=%s:%d", gateway.site.name, host, port)
        manager.ready()
        feeding = asyncio.create_task(manager.feed(), name="systemd watchdog")
        failed = asyncio.create_task(gateway.wait())
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({failed, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        _LOG.info("gateway stops")
        # The last commit may take longer than the watchdog waits: TimeoutStopSec bounds it.
        manager.stopping()
        feeding.cancel()
        if failed.done():
            failed.result()
        failed.cancel()
        if as_json:
            summary = {**gateway.summary(), "lines_lost": events.lost}
            events.put(json.dumps({"type": "summary", **summary}))


def _reload(gateway: Gateway, tasks: set[asyncio.Task[None]]) -> asyncio.Task[None]:
    """SIGHUP: no caller waits for the answer; problems are in the log."""

    async def load() -> None:
        with contextlib.suppress(ConfigError):
            await gateway.reload()

    task = asyncio.create_task(load(), name="reload")
    task.add_done_callback(tasks.discard)
    return task


def _print_lines(events: daemon_log.LineWriter, outcome: Outcome) -> None:
    for line in outcome.lines():
        events.put(text.format_json(line) if "t_s" in line else json.dumps(line))
