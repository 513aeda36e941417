# SPDX-License-Identifier: MIT
"""Service: the nodes of the site and their keys, by the site file and the enrolment log. Both files
are watched while the gateway runs, so `groundwatch node flash` needs no restart.

If a file is invalid, the previous version stays in use, and a warning is shown until it is valid.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from gateway.config.site import load_site
from gateway.enrolment import Enrolment, EnrolmentLog, site_keys
from gateway.errors import ConfigError
from gateway.keys import KeyRing
from gateway.model.place.site import Site
from gateway.service.service import Service

_LOG = logging.getLogger(__name__)
# A revocation takes effect within a second, one read of the log included.
_LOOK_S = 0.25

_Stamp = tuple[int, int, int] | None
Keys = Mapping[str, KeyRing]


class SiteFiles:
    """Reads both files. Raises ConfigError. `problems` are lines by the file they are about."""

    def __init__(
        self, site_file: Path, log: EnrolmentLog, fleet_root: bytes, clock: Callable[[], int]
    ) -> None:
        self.problems: dict[Path, str] = {}
        self._site_file, self._log = site_file, log
        self._fleet_root, self._clock = fleet_root, clock
        # The stamps first: a later change is then seen.
        self._stamps = {path: _stamp(path) for path in (site_file, log.path)}
        self.site = load_site(site_file)
        self.entries = log.history()

    def keys(self, site: Site) -> dict[str, KeyRing]:
        """Keys of every node of a site, by the enrolment log as last read."""
        return site_keys(site, self._fleet_root, Enrolment(self.entries))

    async def watch_site(self, take: Callable[[], Awaitable[object]]) -> None:
        """Until cancelled; `take` reads the file, and raises ConfigError if it is invalid."""
        while True:
            await self._change(self._site_file)
            try:
                await take()
            except ConfigError as error:
                self._complain(self._site_file, error)

    async def watch_keys(
        self, service: Service, admit: Callable[[Site, Keys], Awaitable[None]]
    ) -> None:
        """Until cancelled: keys given out, proven or revoked count from now on."""
        while True:
            await self._change(self._log.path)
            before = self.entries
            try:
                self.entries = self._log.history()
                service.enrol(self.entries, self.keys(service.stages.site))
            except ConfigError as error:
                # The known keys stay in use: without keys no message would be accepted.
                self.entries = before
                self._complain(self._log.path, error)
                continue
            site = service.stages.site
            await admit(site, self.keys(site))
            _LOG.info("enrolment entries=%d", len(self.entries))

    async def _change(self, path: Path) -> None:
        while (stamp := _stamp(path)) == self._stamps[path]:  # noqa: ASYNC110  # a file sends no event
            await asyncio.sleep(_LOOK_S)
        self._stamps[path] = stamp
        self.problems.pop(path, None)

    def _complain(self, path: Path, error: ConfigError) -> None:
        self.problems[path] = f"{error}; the previous version stays in use"
        _LOG.error("site files: %s", self.problems[path])


def _stamp(path: Path) -> _Stamp:
    """Another one when the file has changed; None while there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
