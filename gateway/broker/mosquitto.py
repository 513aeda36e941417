# SPDX-License-Identifier: MIT
"""Brokers: a mosquitto child process, its generated configuration hardened and tested."""

from __future__ import annotations

import asyncio
import base64
import ctypes
import getpass
import hashlib
import logging
import os
import re
import secrets
import shutil
import signal
import socket
import sys
from pathlib import Path

from gateway.broker.acl_probe import PROBE_USER, check_rules
from gateway.broker.interface import GATEWAY_USER, MAX_PACKET, Broker, Passwords
from gateway.errors import BrokerError
from gateway.files import private_folder, write_atomic
from gateway.mqtt.access import MqttAccess

_LOG = logging.getLogger(__name__)
_START_S = 5.0
_STOP_S = 5.0
# Below it: CVE-2023-0809 (memory taken by a first packet, which max_packet_size limits) and others.
_WANTED_VERSION = (2, 0, 22)
_PBKDF2_ROUNDS = 101  # mosquitto_passwd's own; the passwords are 128 random bits
_PR_SET_PDEATHSIG = 1  # prctl(2)

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
user {user}
"""

_RULES = """\
user {gateway}
topic read groundwatch/v1/{site}/+/up
topic write groundwatch/v1/{site}/+/down

pattern write groundwatch/v1/{site}/%u/up
pattern read groundwatch/v1/{site}/%u/down
"""


class MosquittoBroker(Broker):
    """Started on entering, ended on leaving, and by the kernel should we be killed."""

    def __init__(self, host: str, port: int, site: str, passwords: Passwords, folder: Path) -> None:
        super().__init__(host, port)
        self._password = secrets.token_hex(16)
        self._probe_password = secrets.token_hex(16)
        self._site = site
        self._passwords = dict(passwords)
        self._folder = folder.absolute()
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._last_line = ""

    async def start(self) -> None:
        """Listening, and known to enforce its rules, when it returns. Raises BrokerError."""
        program = program_path()
        if program is None:
            raise BrokerError('mosquitto is not installed; install it or set kind = "embedded"')
        await self._check_version(program)
        self.port = self._free_port()
        self.access = MqttAccess(
            self.host, self.port, GATEWAY_USER, self._password, GATEWAY_USER, persistent=True
        )
        self._write_files()
        self._process = await asyncio.create_subprocess_exec(
            program,
            "-c",
            str(self._folder / "mosquitto.conf"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        )
        self._reader = asyncio.create_task(self._read_log(self._process))
        try:
            await self._await_listening()
            gateway = (GATEWAY_USER, self._password)
            await check_rules((self.host, self.port), self._site, gateway, self._probe_password)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Ask it to save and end; end it when it does not."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(_STOP_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
        if self._reader is not None:
            await asyncio.gather(self._reader, return_exceptions=True)

    async def set_passwords(self, passwords: Passwords) -> None:
        """From now on these: on SIGHUP mosquitto reads its files and disconnects others."""
        self._passwords = dict(passwords)
        self._write_passwords()
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGHUP)

    async def watch(self) -> None:
        """Returns when the process ended by itself."""
        assert self._process is not None
        await self._process.wait()

    async def _check_version(self, program: str) -> None:
        process = await asyncio.create_subprocess_exec(
            program, "-h", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        out, _ = await process.communicate()
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
            "mosquitto.conf": _CONFIGURATION.format(
                host=self.host,
                port=self.port,
                folder=self._folder,
                max_packet=MAX_PACKET,
                user=getpass.getuser(),
            ),
        }
        for name, text in files.items():
            write_atomic(self._folder / name, text)

    def _write_passwords(self) -> None:
        # One for each user: a node that was offered a new key is let in with that one.
        users = {user: given[0] for user, given in self._passwords.items() if given}
        users |= {PROBE_USER: self._probe_password, GATEWAY_USER: self._password}
        lines = [f"{user}:{hash_password(password)}\n" for user, password in users.items()]
        write_atomic(self._folder / "passwords", "".join(lines))

    async def _await_listening(self) -> None:
        assert self._process is not None
        try:
            async with asyncio.timeout(_START_S):
                while self._process.returncode is None:
                    try:
                        _reader, writer = await asyncio.open_connection(self.host, self.port)
                    except OSError:
                        await asyncio.sleep(0.02)
                        continue
                    writer.close()
                    return
        except TimeoutError:
            pass
        raise BrokerError(f"mosquitto does not start: {self._last_line or 'it logs nothing'}")

    async def _read_log(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        async for line in process.stderr:
            self._last_line = line.decode(errors="replace").strip()
            _LOG.info("mosquitto: %s", self._last_line)


def program_path() -> str | None:
    """Where mosquitto is, None when it is not installed. Debian puts daemons outside of $PATH."""
    return shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin")


def hash_password(password: str) -> str:
    """mosquitto's "$7$" form: PBKDF2-HMAC-SHA512."""
    salt = secrets.token_bytes(12)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _PBKDF2_ROUNDS)
    parts = (base64.b64encode(part).decode() for part in (salt, digest))
    return f"$7${_PBKDF2_ROUNDS}${'$'.join(parts)}"


def _die_with_parent() -> None:
    """In the child: end it when we are killed, or it would keep the port."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
