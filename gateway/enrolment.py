# SPDX-License-Identifier: MIT
"""Enrolment: which key generations of which nodes are good, in a log that shows tampering.

One JSON line for each act, appended and synced under a lock; each carries a MAC, under a key of
the fleet root, over itself and the MAC before it. So a line that was altered, moved or left out in
the middle is seen. What was cut off at the end is not, except by a gateway that runs.

A node without a line has generation 1: that is what `groundwatch bundle` gives it.
"""

from __future__ import annotations

import fcntl
import hmac
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from enum import Enum
from hashlib import sha256
from pathlib import Path

from gateway.errors import ConfigError
from gateway.files import private_folder, sync_folder
from gateway.keys import KeyRing, derive, enrolment_key, node_key
from gateway.model.place.site import Site

ENROLMENT = "enrolment.jsonl"  # its name in the gateway's data_dir
_MAX_BYTES = 16 << 20  # 60,000 acts
_MAX_GENERATION = 1_000_000


class KeyAct(Enum):
    """What was done to a node's key."""

    OFFER = "offer"  # a generation is about to be written to a board; older ones stay good
    REPLACE = "replace"  # the same, and older ones end at once: their board is lost
    PROVE = "prove"  # the board answered a challenge with it; older ones end
    REVOKE = "revoke"  # none is good any more


@dataclass(frozen=True, slots=True)
class Entry:
    """One act. `board` is the chip's unique id in hex; `floor` is the highest boot number used."""

    number: int
    at: str  # UTC, ISO 8601
    act: KeyAct
    node: str
    generation: int
    board: str
    floor: int
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How a node stands: the proven generation, one offered after it, or revoked since."""

    proven: int = 1
    offered: int = 0
    board: str = ""
    floor: int = 0
    revoked_at: str = ""
    newest: int = 0  # the highest generation that was ever given out; 0: none by the log

    @property
    def accepted(self) -> tuple[int, ...]:
        """Generations whose messages come in, the proven one first."""
        if self.revoked_at:
            return ()
        return tuple(number for number in (self.proven, self.offered) if number)


class Enrolment:
    """The standing of every node that has an entry."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.standings: dict[str, Standing] = {}
        self.entries = 0
        for entry in entries:
            self.entries += 1
            before = self.standings.get(entry.node, Standing())
            self.standings[entry.node] = _after(before, entry)

    def of(self, node: str) -> Standing:
        return self.standings.get(node, Standing())

    def node_of(self, board: str) -> str | None:
        """The node that a board carries the key of, by the chip's unique id."""
        for node, standing in self.standings.items():
            if board and standing.board == board and not standing.revoked_at:
                return node
        return None

    def key_rings(self, site: str, nodes: Iterable[str], fleet_root: bytes) -> dict[str, KeyRing]:
        """Keys of each node: those it may send under, and those that identify a revoked one."""
        rings = {}
        for node in nodes:
            standing = self.of(node)
            good = standing.accepted
            # One barred generation detects a stolen board that still sends; all would cost time.
            last = max(standing.proven, standing.newest)
            barred = () if good else (last,)
            rings[node] = KeyRing(
                tuple(derive(node_key(fleet_root, site, node, number)) for number in good),
                tuple(derive(node_key(fleet_root, site, node, number)) for number in barred),
            )
        return rings


def _after(standing: Standing, entry: Entry) -> Standing:
    """Pure: what an act makes of a standing."""
    newest = max(standing.newest, entry.generation)
    floor = max(standing.floor, entry.floor)
    match entry.act:
        case KeyAct.OFFER:
            return replace(
                standing, offered=entry.generation, newest=newest, floor=floor, revoked_at=""
            )
        case KeyAct.REPLACE:
            return Standing(0, entry.generation, "", floor, "", newest)
        case KeyAct.PROVE:
            return Standing(entry.generation, 0, entry.board, floor, "", newest)
        case KeyAct.REVOKE:
            return replace(standing, offered=0, revoked_at=entry.at, newest=newest)


class EnrolmentLog:
    """The file. Reading is strict; appending is locked, checked and synced."""

    def __init__(self, path: Path, fleet_root: bytes) -> None:
        self.path = path
        self._key = enrolment_key(fleet_root)

    def read(self) -> Enrolment:
        """What stands in it; empty when there is none. Raises ConfigError."""
        return Enrolment(entry for entry, _mac in self._lines(self._whole()))

    def history(self) -> list[Entry]:
        """Every act, oldest first. Raises ConfigError."""
        return [entry for entry, _mac in self._lines(self._whole())]

    @contextmanager
    def locked(self) -> Iterator[Enrolment]:
        """No other process appends during the block; yields the enrolment. Raises ConfigError."""
        try:
            private_folder(self.path.parent)
            handle = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise self._unusable(error) from None
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ConfigError(f"{self.path}: another command enrols nodes; wait for it") from (
                    None
                )
            yield self.read()
        finally:
            os.close(handle)

    def append(self, entry: Entry) -> None:
        """On disk when it returns; call it within `locked`. `entry.number` is given here."""
        whole = self._whole()
        lines = list(self._lines(whole))
        before = lines[-1][1] if lines else b""
        fields = asdict(replace(entry, number=len(lines) + 1)) | {"act": entry.act.value}
        fields["mac"] = self._mac(before, fields).hex()
        try:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
            with os.fdopen(handle, "r+b") as file:
                file.truncate(len(whole))  # the torn end of a line that a power cut left
                file.seek(0, os.SEEK_END)
                file.write(_canonical(fields) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            if not lines:  # the file may be new, and then its name is not on the disk yet
                sync_folder(self.path.parent)
        except OSError as error:
            raise self._unusable(error) from None

    def _whole(self) -> bytes:
        """The file up to its last complete line."""
        try:
            with self.path.open("rb") as file:
                data = file.read(_MAX_BYTES + 1)
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise self._unusable(error) from None
        if len(data) > _MAX_BYTES:
            raise ConfigError(f"{self.path}: larger than {_MAX_BYTES} bytes, no enrolment log")
        return data[: data.rfind(b"\n") + 1]

    def _lines(self, whole: bytes) -> Iterator[tuple[Entry, bytes]]:
        before = b""
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                fields = json.loads(line)
                mac = bytes.fromhex(fields.pop("mac"))
                good = hmac.compare_digest(mac, self._mac(before, fields))
                entry = Entry(**fields | {"act": KeyAct(fields["act"])})
            except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
                good = False
            if not good or entry.number != number or not 0 < entry.generation <= _MAX_GENERATION:
                raise ConfigError(
                    f"{self.path}: line {number} was altered, or the fleet key is another one; "
                    "restore both from one backup"
                )
            yield entry, mac
            before = mac

    def _mac(self, before: bytes, fields: dict[str, object]) -> bytes:
        return hmac.digest(self._key, before + _canonical(fields), sha256)

    def _unusable(self, error: OSError) -> ConfigError:
        return ConfigError(f"{self.path}: cannot be used: {error.strerror or error}")


def _canonical(fields: dict[str, object]) -> bytes:
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()


def site_keys(
    site: Site, fleet_root: bytes, enrolment: Enrolment | None = None
) -> dict[str, KeyRing]:
    """Keys of every node of the site, from the 32-byte fleet root, as they stand."""
    return (enrolment or Enrolment()).key_rings(site.name, site.nodes, fleet_root)
