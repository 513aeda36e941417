# SPDX-License-Identifier: MIT
"""Service: states for systemd: ready, alive, stopping (sd_notify(3), sd_watchdog_enabled(3)).

Without systemd nothing is sent. The event loop feeds the watchdog, so a loop that hangs ends the
feeding and systemd starts the gateway again. A disk that is full does not: alarms are still raised.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Mapping

_LOG = logging.getLogger(__name__)
_FEEDS_PER_LIMIT = 3  # a late one ends nothing
_LIMIT_MIN_US, _LIMIT_MAX_US = 10_000, 86_400_000_000


class ServiceManager:
    """`environment` is the process's own: systemd gives socket and limit in it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._address = _address(environment.get("NOTIFY_SOCKET", ""))
        self._limit_s = _limit_s(environment) if self._address else None

    def ready(self) -> None:
        """Nodes and operators are served from now on."""
        self._notify("READY=1")

    def stopping(self) -> None:
        """The gateway stops on request."""
        self._notify("STOPPING=1")

    async def feed(self) -> None:
        """Feed the watchdog until cancelled; returns at once where none watches."""
        if self._limit_s is None:
            return
        while True:
            self._notify("WATCHDOG=1")
            await asyncio.sleep(self._limit_s / _FEEDS_PER_LIMIT)

    def _notify(self, state: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.setblocking(False)  # a manager that does not read must not hold the loop
                sender.sendto(state.encode(), self._address)
        except OSError as error:
            _LOG.warning("systemd was not notified state=%s problem=%r", state, str(error))


def _address(given: str) -> str:
    """A path, or a name of the abstract namespace, which systemd writes with an @."""
    if given.startswith("/"):
        return given
    return "\0" + given[1:] if given.startswith("@") else ""


def _limit_s(environment: Mapping[str, str]) -> float | None:
    """None where no watchdog is set, or where it is set for another process."""
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    given = environment.get("WATCHDOG_USEC", "")
    if not given.isascii() or not given.isdigit() or len(given) > 15:
        return None
    limit_us = int(given)
    return limit_us / 1e6 if _LIMIT_MIN_US <= limit_us <= _LIMIT_MAX_US else None
