# SPDX-License-Identifier: MIT
"""Provisioning: a node key goes to one board, once, and the board proves that it holds it.

The enrolment log is written before the board (an offer) and after its answer (a proof). So the same
command continues after a cable was unplugged. A key that was offered and not proven is never issued
again: a board that holds it may have used its counters (ADR 0010).
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from hashlib import sha256
from pathlib import Path

from gateway.audit.clock import computer_us
from gateway.commands import offline_clock
from gateway.config import GatewayConfig
from gateway.enrolment import ENROLMENT, Enrolment, EnrolmentLog, Entry, KeyAct, Standing
from gateway.intake.authentication.epochs import AHEAD
from gateway.keys import challenge_key, derive, next_epoch, node_key
from gateway.store.choose import reading
from tools.bundle import NODE_COPY, NodeConfig
from tools.errors import UserError
from tools.flash.board import Board
from tools.flash.repl import BoardError, CableError


class Mode(Enum):
    """What the command does with the key."""

    ENROL = "enrol"  # a new node, or one whose board is as it was
    ROTATE = "rotate"  # a new key for the board that holds the present one
    REPLACE = "replace"  # another board takes over; the lost one's key ends


@dataclass(frozen=True)
class Person:
    """Who does it, and why; both are recorded."""

    by: str
    why: str


@dataclass(frozen=True)
class Wish:
    """The node to make: `config` with any key, which is replaced by the issued one."""

    config: NodeConfig
    mode: Mode
    person: Person
    floor: int = 0  # the highest boot number that the gateway received from this node


@dataclass(frozen=True)
class Held:
    """The key generation that a board proves to hold, and the epoch it has reached."""

    generation: int
    epoch: int = 0


@dataclass(frozen=True)
class Enrolled:
    """The generation that the board has proven, and whether it is a new one."""

    generation: int
    is_new: bool


class Provisioner:
    """Issues keys from the fleet root. `random` returns so many random bytes; `clock` UTC
    microseconds."""

    def __init__(
        self,
        journal: EnrolmentLog,
        fleet_root: bytes,
        random: Callable[[int], bytes] = secrets.token_bytes,
        clock: Callable[[], int] = computer_us,
    ) -> None:
        self._journal = journal
        self._root = fleet_root
        self._random = random
        self._clock = clock

    def standing(self, node: str) -> Standing:
        """The node's state in the enrolment log."""
        return self._journal.read().of(node)

    def check(self, board: Board, wish: Wish) -> None:
        """Before the board is changed. Raises UserError; a refused board is restarted."""
        enrolment = self._journal.read()
        try:
            held = self._held(board, wish, enrolment.of(wish.config.node))
            self._allowed(enrolment, board, wish, held)
        except CableError:
            raise
        except UserError:
            board.start()
            raise

    def enrol(self, board: Board, wish: Wish) -> Enrolled:
        """Raises UserError if it is not allowed, CableError or BoardError when the board fails."""
        node = wish.config.node
        with self._journal.locked() as enrolment:
            standing = enrolment.of(node)
            held = self._held(board, wish, standing)
            self._allowed(enrolment, board, wish, held)
            is_its_own = enrolment.node_of(board.facts.id) == node
            if held and (wish.mode is Mode.ENROL or (wish.mode is Mode.REPLACE and is_its_own)):
                return self._keep(board, wish, standing, held)
            return self._give(board, wish, standing)

    def revoke(self, node: str, person: Person) -> None:
        """End every key of this node. Raises UserError when none is valid."""
        with self._journal.locked() as enrolment:
            standing = enrolment.of(node)
            if standing.revoked_at:
                raise UserError(f"{node} was revoked at {standing.revoked_at} already")
            newest = max(standing.newest, standing.proven)
            self._note(KeyAct.REVOKE, node, newest, "", standing.floor, person)

    def _held(self, board: Board, wish: Wish, standing: Standing) -> Held | None:
        """The valid generation that the board proves to hold."""
        carried = board.carried()
        if (carried.site, carried.node) != (wish.config.site, wish.config.node):
            return None
        for generation in reversed(standing.accepted):
            if held := self._proven(board, wish, generation):
                # A wiped counter under a key in use would repeat nonces (ADR 0007).
                return held if carried.boot >= max(standing.floor, wish.floor) else None
        return None

    def _allowed(self, enrolment: Enrolment, board: Board, wish: Wish, held: Held | None) -> None:
        node = wish.config.node
        standing = enrolment.of(node)
        owner = enrolment.node_of(board.facts.id)
        if owner not in (None, node):
            raise UserError(
                f"this board is {owner}: revoke {owner} first "
                f"(groundwatch node revoke {owner}), or take another board"
            )
        if wish.mode is Mode.REPLACE:
            if not standing.newest and not wish.floor:
                raise UserError(f"{node} was never enrolled: leave --replace out")
            return
        if standing.revoked_at:
            raise UserError(
                f"{node} was revoked at {standing.revoked_at}: --replace gives its name to a board"
            )
        if standing.board not in ("", board.facts.id):
            copied = ", and this one holds a copy of its key" if held else ""
            raise UserError(
                f"{node} is another board ({standing.board}){copied}: --replace when it is lost"
            )
        if wish.mode is Mode.ROTATE and not held:
            raise UserError(f"this board does not hold the key of {node}; nothing was changed")

    def _keep(self, board: Board, wish: Wish, standing: Standing, held: Held) -> Enrolled:
        """The board keeps its key; its other settings are updated."""
        generation = held.generation
        if standing.board != board.facts.id or standing.proven != generation or standing.offered:
            self._prove(board, wish, held)
        # The board stores a rotated key itself, and the one before must not come back.
        self._write(board, wish, b"" if held.epoch else self._key(wish, generation))
        board.scrub()
        return Enrolled(generation, False)

    def _give(self, board: Board, wish: Wish, standing: Standing) -> Enrolled:
        config = wish.config
        # Generation 1 without an entry may be on a board that `groundwatch bundle` wrote.
        generation = standing.newest + 1 if standing.newest else 1 + (wish.floor > 0)
        carried = board.carried()
        is_same = (carried.site, carried.node) == (config.site, config.node)
        floor = max(standing.floor, wish.floor, carried.boot if is_same else 0)
        act = KeyAct.REPLACE if wish.mode is Mode.REPLACE else KeyAct.OFFER
        self._note(act, config.node, generation, board.facts.id, floor, wish.person)
        if not is_same:
            board.forget_state()
        if floor and (not is_same or carried.boot < floor):
            board.raise_boot(floor)
        if carried.node:
            board.mark_for_scrub()
        self._write(board, wish, self._key(wish, generation))
        board.forget_key()
        self._prove(board, wish, Held(generation))
        board.scrub()
        return Enrolled(generation, True)

    def _write(self, board: Board, wish: Wish, key: bytes) -> None:
        config = replace(wish.config, key=key)
        data = config.as_json().encode()
        if board.inventory(("node.json",)).get("node.json") != sha256(data).hexdigest():
            board.send(NODE_COPY, b"")  # the old one would be put back at the next start
            board.send("node.json", data)

    def _prove(self, board: Board, wish: Wish, held: Held) -> None:
        if self._proven(board, wish, held.generation) != held:
            raise BoardError("the board does not prove that it holds its key; run this again")
        floor = board.carried().boot
        node = wish.config.node
        self._note(KeyAct.PROVE, node, held.generation, board.facts.id, floor, wish.person)

    def _proven(self, board: Board, wish: Wish, generation: int) -> Held | None:
        """The epoch of a generation in which the board answers, or None."""
        challenge = self._random(32)
        answer = board.answer(challenge)
        keys = derive(self._key(wish, generation))
        for epoch in range(AHEAD):
            key = challenge_key(keys.key)
            if hmac.compare_digest(answer, hmac.digest(key, challenge, sha256)):
                return Held(generation, epoch)
            keys = next_epoch(keys)
        return None

    def _key(self, wish: Wish, generation: int) -> bytes:
        return node_key(self._root, wish.config.site, wish.config.node, generation)

    def _note(
        self, act: KeyAct, node: str, generation: int, board: str, floor: int, person: Person
    ) -> None:
        at = datetime.fromtimestamp(self._clock() // 1_000_000, UTC).isoformat(timespec="seconds")
        self._journal.append(
            Entry(0, at, act, node, generation, board, max(floor, 0), person.by, person.why)
        )


def provisioner(config: GatewayConfig, root: bytes) -> Provisioner:
    """For this site. Its log has the times of the gateway's records, not of a wrong clock."""
    return Provisioner(
        EnrolmentLog(config.data_dir / ENROLMENT, root),
        root,
        clock=lambda: offline_clock.now(config.store).us,
    )


def highest_boot(where: Path | str, node: str) -> int:
    """The highest boot number of a node in the gateway's store; 0 when it holds none.

    Raises StoreError.
    """
    if isinstance(where, Path) and not where.exists():
        return 0
    with reading(where) as store:
        rows = list(store.run("SELECT max(boot) FROM boot WHERE node = ?", (node,)))
    return int(rows[0][0] or 0)
