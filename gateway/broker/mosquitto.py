# SPDX-License-Identifier: MIT
"""Brokers: a mosquitto child process, its generated configuration hardened and tested."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
import os
import random
import re
import secrets
import shutil
import signal
import socket
from pathlib import Path

from gateway.broker.acl_probe import PROBE_USER, NoAnswer, answers, check_rules
from gateway.broker.child import Child
from gateway.broker.interface import GATEWAY_USER, MAX_PACKET, Broker, Passwords
from gateway.errors import BrokerError
from gateway.files import private_folder, write_atomic
from gateway.limits import Backoff
from gateway.mqtt.access import MqttAccess

_LOG = logging.getLogger(__name__)
_START_S = 5.0
FIRST_WAIT_S, MAX_WAIT_S = 0.2, 30.0
GOOD_S = 60.0  # a run that lasted so long was no failure of its start
_LOOK_S = 15.0  # how often it is asked whether it answers
_MISSED_MAX = 2  # answers in a row
_BRIEF_MAX = 3  # runs in a row that ended soon: its file may be the reason
_CONF, _DATABASE, _DAMAGED = "mosquitto.conf", "mosquitto.db", "mosquitto.db.damaged"
# Below it: CVE-2023-0809 (memory taken by a first packet, which max_packet_size limits) and others.
_WANTED_VERSION = (2, 0, 22)
_PBKDF2_ROUNDS = 101  # mosquitto_passwd's own; the passwords are 128 random bits

_CONFIGURATION = """\
listener {port} {host}
allow_anonymous false
password_file {folder}/passwords
acl_file {folder}/acl
use_username_as_clientid true
max_packet_size {max_packet}
memory_limit 268435456
max_connections 1024
max_keepalive 300
retain_available false
# The gateway acknowledges after its commit, so many may be on their way to it.
max_inflight_messages 1000
# The default of 1000 loses most of a backlog that all nodes send at once.
max_queued_messages 200000
persistence true
persistence_location {folder}/
autosave_interval 60
set_tcp_nodelay true
log_dest stderr
log_type error
log_type warning
connection_messages false
# Started by root it stays root, which owns the folder; started by another user it ignores this.
user root
"""

_RULES = """\
user {gateway}
topic read groundwatch/v1/{site}/+/up
topic write groundwatch/v1/{site}/+/down

pattern write groundwatch/v1/{site}/%u/up
pattern read groundwatch/v1/{site}/%u/down
"""


class ChildFailed(BrokerError):
    """The child did not become ready."""


class MosquittoBroker(Broker):
    """Started on entering, ended on leaving, and by the kernel should we be killed.

    A mosquitto that ends, does not become ready or does not answer is started again. `wait_s` are
    the first and the longest wait before that.
    """

    def __init__(
        self,
        host: str,
        port: int,
        site: str,
        passwords: Passwords,
        folder: Path,
        wait_s: tuple[float, float] = (FIRST_WAIT_S, MAX_WAIT_S),
    ) -> None:
        super().__init__(host, port)
        self._password = secrets.token_hex(16)
        self._probe = (PROBE_USER, secrets.token_hex(16))
        self._site = site
        self._passwords = dict(passwords)
        self._folder = folder.absolute()
        self._program = ""
        self._child: Child | None = None
        self._backoff = Backoff(*wait_s, random.Random())
        self._brief = 0  # runs in a row that ended soon

    async def start(self) -> None:
        """Its address is known when this returns; it listens, and is known to enforce its rules,
        unless the child fails: then `watch` goes on trying. Raises BrokerError for what the user
        can correct."""
        program = program_path()
        if program is None:
            raise BrokerError('mosquitto is not installed; install it or set kind = "embedded"')
        self._program = program
        await self._check_version(program)
        self.port = self._free_port()
        self.access = MqttAccess(
            self.host, self.port, GATEWAY_USER, self._password, GATEWAY_USER, persistent=True
        )
        self._write_files()
        try:
            await self._launch()
        except ChildFailed as failed:
            self.on_state(str(failed))

    async def stop(self) -> None:
        """Ask it to save and end; end it when it does not."""
        child, self._child = self._child, None
        if child is not None:
            await child.end()

    async def set_passwords(self, passwords: Passwords) -> None:
        """From now on these: on SIGHUP mosquitto reads its files and disconnects others."""
        self._passwords = dict(passwords)
        self._write_passwords()
        if self._child is not None:
            self._child.send_signal(signal.SIGHUP)

    async def watch(self) -> None:
        """Until cancelled: another child whenever one ends or does not answer."""
        loop = asyncio.get_running_loop()
        while True:
            if self._child is not None:
                started_s = loop.time()
                problem = await self._until_over(self._child)
                is_brief = loop.time() - started_s < GOOD_S
                self._brief = self._brief + 1 if is_brief else 0
                if not is_brief:
                    self._backoff.reset()
                self.on_state(problem)
                await self.stop()
            await asyncio.sleep(self._backoff.next_s())
            try:
                if self._brief >= _BRIEF_MAX:
                    self._brief = 0
                    if _move(self._folder / _DATABASE, self._folder / _DAMAGED):
                        self._note_aside()
                self._free_port()
                await self._launch()
            except BrokerError as error:
                self.on_state(str(error))

    async def _launch(self) -> None:
        """One child that is ready and enforces its rules. Raises BrokerError."""
        try:
            await self._try()
        except ChildFailed:
            # A file cut by a power failure keeps mosquitto from starting, for ever.
            if not _move(self._folder / _DATABASE, self._folder / _DAMAGED):
                raise
            try:
                await self._try()
            except BaseException:  # the file was not the reason
                _move(self._folder / _DAMAGED, self._folder / _DATABASE)
                raise
            self._note_aside()
        self.on_state("")

    async def _try(self) -> None:
        child = await Child.start("mosquitto", self._program, "-c", str(self._folder / _CONF))
        self._child = child
        try:
            await self._await_listening(child)
            gateway = (GATEWAY_USER, self._password)
            await check_rules((self.host, self.port), self._site, gateway, self._probe[1])
        except BaseException as error:
            await self.stop()
            if isinstance(error, (NoAnswer, ChildFailed)):
                raise ChildFailed(f"it does not start: {child.last_line or error}") from None
            raise

    async def _until_over(self, child: Child) -> str:
        """Why it has to be started again."""
        ended = asyncio.create_task(child.wait())
        missed = 0
        try:
            while missed < _MISSED_MAX:
                done, _pending = await asyncio.wait({ended}, timeout=_LOOK_S)
                if done:
                    return ended.result()
                missed = 0 if await answers((self.host, self.port), self._probe) else missed + 1
        finally:
            ended.cancel()
        return "it does not answer"

    def _note_aside(self) -> None:
        """What the file holds has no receipt: nodes send it again."""
        aside = self._folder / _DAMAGED
        warning = f"mosquitto did not run with its file {_DATABASE}: it was set aside as {aside}"
        if warning not in self.warnings:
            self.warnings.append(warning)
        _LOG.error(warning)
        self.on_fault(f"file {_DATABASE}", "mosquitto did not run with it; it was set aside")

    async def _check_version(self, program: str) -> None:
        try:
            process = await asyncio.create_subprocess_exec(
                program, "-h", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
            )
        except OSError as error:
            problem = error.strerror or error
            raise BrokerError(f"mosquitto cannot be started: {problem}") from None
        try:
            async with asyncio.timeout(_START_S):
                out, _ = await process.communicate()
        except TimeoutError:
            process.kill()
            await process.wait()
            out = b""
        match = re.search(rb"version (\d+)\.(\d+)\.(\d+)", out)
        version = tuple(int(part) for part in match.groups()) if match else ()
        if version < _WANTED_VERSION:
            found = ".".join(map(str, version)) or "unknown"
            wanted = ".".join(map(str, _WANTED_VERSION))
            warning = f"mosquitto {found} has known faults; {wanted} or newer is better"
            self.warnings.append(warning)
            _LOG.warning(warning)

    def _free_port(self) -> int:
        try:
            with socket.create_server((self.host, self.port)) as probe:
                return int(probe.getsockname()[1])
        except OSError as error:
            raise BrokerError(
                f"broker cannot listen on {self.host}:{self.port}: {error.strerror or error}; "
                "set another [broker] host or port"
            ) from None

    def _write_files(self) -> None:
        private_folder(self._folder)
        self._folder.chmod(0o700)
        self._write_passwords()
        files = {
            "acl": _RULES.format(gateway=GATEWAY_USER, site=self._site),
            _CONF: _CONFIGURATION.format(
                host=self.host,
                port=self.port,
                folder=self._folder,
                max_packet=MAX_PACKET,
            ),
        }
        for name, text in files.items():
            write_atomic(self._folder / name, text)

    def _write_passwords(self) -> None:
        # One for each user: a node that was offered a new key is let in with that one.
        users = {user: given[0] for user, given in self._passwords.items() if given}
        users |= {PROBE_USER: self._probe[1], GATEWAY_USER: self._password}
        lines = [f"{user}:{hash_password(password)}\n" for user, password in users.items()]
        write_atomic(self._folder / "passwords", "".join(lines))

    async def _await_listening(self, child: Child) -> None:
        try:
            async with asyncio.timeout(_START_S):
                while child.running:
                    try:
                        _reader, writer = await asyncio.open_connection(self.host, self.port)
                    except OSError:
                        await asyncio.sleep(0.02)
                        continue
                    writer.close()
                    return
        except TimeoutError:
            pass
        raise ChildFailed("it logs nothing")


def _move(path: Path, to: Path) -> bool:
    """Whether there was such a file."""
    try:
        path.replace(to)
    except OSError:
        return False
    return True


def program_path() -> str | None:
    """Where mosquitto is, None when it is not installed. Debian puts daemons outside of $PATH."""
    return shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin")


def hash_password(password: str) -> str:
    """mosquitto's "$7$" form: PBKDF2-HMAC-SHA512."""
    salt = secrets.token_bytes(12)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _PBKDF2_ROUNDS)
    parts = (base64.b64encode(part).decode() for part in (salt, digest))
    return f"$7${_PBKDF2_ROUNDS}${'$'.join(parts)}"
