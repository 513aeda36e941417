# SPDX-License-Identifier: MIT
"""A gateway of a temporary site as a separate process, and its API."""

from __future__ import annotations

import asyncio
import json
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.request import Request, urlopen

from gateway.api.access.tokens import new_token, save_tokens
from gateway.api.prefix import PREFIX
from gateway.files import create_private
from gateway.keys import create_fleet_root
from gateway.model.actions.identity import Scope
from sim_hardware.loopback import free_port
from tools.errors import UserError

# Two nodes, where no site is given.
SITE = """\
[site]
name = "yard"

[[node]]
id = "n01"
x_m = 0
y_m = 0
sector = "gate"
pir_azimuth_deg = 90
pir_range_m = 12

[[node]]
id = "n02"
x_m = 25
y_m = 0
sector = "gate"
pir_azimuth_deg = 270
pir_range_m = 12
"""

_READY_S = 120.0
_STOP_S = 30.0
_ASK_S = 20.0
_EVERY_S = 0.2
_DAY_US = 24 * 3600 * 1_000_000

_T = TypeVar("_T")


@dataclass(frozen=True)
class TemporarySite:
    """A folder with gateway.toml, site.toml, a fleet key and one token of the API."""

    folder: Path
    token: str

    @property
    def config(self) -> Path:
        """The gateway's configuration."""
        return self.folder / "gateway.toml"


def make_site(folder: Path, site_toml: str, gateway_toml: str) -> TemporarySite:
    """`gateway_toml` holds tables beside [gateway]; without [broker] or [console] there is a broker
    on a free port of loopback, and a console on another."""
    (folder / "site.toml").write_text(site_toml)
    head = '[gateway]\ndata_dir = "data"\nsite = "site.toml"\nfleet_key = "fleet.key"\n'
    if "[broker]" not in gateway_toml:
        head += f"[broker]\nport = {free_port()}\n"
    if "[console]" not in gateway_toml:
        head += "[console]\nport = 0\n"
    create_private(folder / "gateway.toml", head + gateway_toml)
    create_fleet_root(folder / "fleet.key")
    token, secret = new_token("pytest", Scope.ADMIN, time.time_ns() // 1000 + _DAY_US)
    save_tokens(folder / "tokens.toml", {token.name: token})
    return TemporarySite(folder, secret)


class GatewayProcess:
    """`groundwatch gateway run` on a temporary site. `url` is its API's and console's address,
    `token` one of scope admin, `broker` where nodes connect; `start` after `stop` is a restart."""

    def __init__(self, site: TemporarySite) -> None:
        self.token = site.token
        self.url = ""
        self.broker = "", 0
        self._site = site
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Ready when it returns. Raises UserError with its output."""
        out, log = self._site.folder / "gateway.jsonl", self._site.folder / "gateway.log"
        command = [sys.executable, "-P", "-m", "tools.cli", "gateway", "run", "--json"]
        with out.open("wb") as lines, log.open("ab") as errors:
            self._process = subprocess.Popen(
                [*command, "--config", self._site.config],
                stdin=subprocess.DEVNULL,
                stdout=lines,
                stderr=errors,
                cwd=self._site.folder,
            )
        end_s = time.monotonic() + _READY_S
        while b"\n" not in out.read_bytes():
            if self._process.poll() is not None or time.monotonic() > end_s:
                self.stop()
                printed = log.read_text(errors="replace").strip()[-500:]
                raise UserError(f"the gateway did not start: {printed or 'it printed nothing'}")
            time.sleep(0.05)
        ready = json.loads(out.read_bytes().splitlines()[0])
        self.url = ready["console"].rstrip("/")
        self.broker = ready["broker_host"], ready["broker_port"]

    def stop(self) -> None:
        """By SIGTERM, as a service manager does; the process has ended on return."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """By SIGKILL, like a power failure of its machine."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def get(self, path: str) -> Any:
        """The answer of the API, e.g. `get("/nodes")`. Raises urllib.error.HTTPError, OSError."""
        return self._ask(Request(self.url + PREFIX + path))

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """One request, e.g. `post("/reload", {})`. Raises urllib.error.HTTPError, OSError."""
        headers = {"Idempotency-Key": secrets.token_hex(16)}
        data = json.dumps(body).encode()
        return self._ask(Request(self.url + PREFIX + path, data, headers))

    def alarms(self) -> list[dict[str, Any]]:
        """All alarms, the newest first."""
        found: list[dict[str, Any]] = self.get("/alarms")["alarms"]
        return found

    async def until(self, ask: Callable[[], _T], within_s: float) -> _T:
        """The first answer of `ask` that is true or not empty. Raises TimeoutError."""
        end_s = time.monotonic() + within_s
        while not (found := await asyncio.to_thread(ask)):
            if time.monotonic() > end_s:
                raise TimeoutError(f"not within {within_s:g} s; the last answer was {found!r}")
            await asyncio.sleep(_EVERY_S)
        return found

    def _ask(self, request: Request) -> Any:
        request.add_header("Authorization", f"Bearer {self.token}")
        with urlopen(request, timeout=_ASK_S) as answer:
            return json.load(answer)
