# SPDX-License-Identifier: MIT
"""Intake: authenticator: bytes on a topic become an authentic, typed, new message, or a counted
rejection.

Order matters: size, topic and node first, then the seal, and only then the payload is decoded.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from typing import NoReturn

import msgspec

from gateway.intake.authentication import boots
from gateway.intake.authentication.clones import Clones
from gateway.intake.authentication.epochs import Epochs
from gateway.intake.authentication.sequence import DurableSequence, VolatileWindow
from gateway.keys import KeyRing, NodeKeys, at_epoch
from gateway.wire import codec, seal
from gateway.wire.errors import WireError
from gateway.wire.messages import (
    MAX_SEALED,
    MAX_TOPIC,
    Condition,
    ConditionKind,
    Hello,
    UpMessage,
)
from gateway.wire.topics import uplink_topic

_TOPIC = re.compile(r"groundwatch/v1/([a-z0-9_-]{1,16})/([a-z0-9_-]{1,16})/up")
# Sealed in the epoch before the present one: a late copy; or a new message, which cannot be of the
# node itself, for it has erased that key.
OLD_EPOCH, STALE_KEY = "old_epoch", "stale_key"
UNKNOWN = "-"  # stands for any node that is not ours, so that counters stay few


class Refusal(Exception):
    """An uplink that does not come in; `reason` and `node` are fit for a counter."""

    def __init__(self, reason: str, node: str) -> None:
        super().__init__(f"{reason} node={node}")
        self.reason = reason
        self.node = node


class Admitted(msgspec.Struct, frozen=True):
    """An authentic message. `fresh` is False for a copy of one that came before."""

    node: str
    space: int
    boot: int
    seq: int
    message: UpMessage
    payload: bytes
    fresh: bool

    @property
    def durable(self) -> bool:
        return self.space == seal.DURABLE


class Authenticator:
    """Holds per node what has been seen; knows nothing of time, store or links."""

    def __init__(self, site: str, keys: Mapping[str, KeyRing]) -> None:
        self._site = site
        self._keys = dict(keys)
        # Nearly every topic is one of these: looking it up costs a tenth of taking it apart.
        self._topics = {uplink_topic(site, node): node for node in keys}
        self._spoken: dict[str, NodeKeys] = {}  # as given out
        self.epochs = Epochs()
        self.clones = Clones()
        self.durable: defaultdict[tuple[str, int], DurableSequence] = defaultdict(DurableSequence)
        self.volatile = {node: VolatileWindow() for node in keys}
        self.floors: dict[str, int] = {}  # the oldest start that is known of a node with very many

    def admit(self, topic: str, data: bytes, now_us: int = 0) -> Admitted:
        """Raises Refusal; a message is marked as seen only when everything about it is right."""
        node = self._topics.get(topic) or self._unaddressed(topic)
        if len(data) > MAX_SEALED:
            raise Refusal("too_big", node)
        try:
            piv, payload = self._open(node, topic, data, now_us)
            space, number, seq = seal.parse_up_piv(piv)
            message = codec.decode_up(payload)
        except WireError as error:
            raise Refusal(error.reason, node) from None
        if not _space_allowed(message, space):
            raise Refusal("wrong_counter_space", node)
        boot = self._boot_of(node, number, message)
        if space == seal.DURABLE and boots.is_next_turn(self.newest_boot(node), number):
            # No receipt: it comes again, behind the hello of its turn.
            raise Refusal("early_boot", node)
        if space == seal.DURABLE and boot < self.floors.get(node, 0):
            raise Refusal("past_boot", node)
        if self.clones.differs(node, space, boot, seq, payload):
            raise Refusal("two_senders", node)
        if space == seal.DURABLE:
            fresh = self.sequence(node, boot).see(seq)
        else:
            window = self.volatile[node]
            fresh = window.see(boot, seq)
            if not fresh:
                raise Refusal("replayed" if boot == window.newest >> 16 else "old_boot", node)
        return Admitted(node, space, boot, seq, message, payload, fresh)

    def forget(self, admitted: Admitted) -> None:
        """A fresh message that could not be kept: it may come again."""
        if admitted.durable:
            self.sequence(admitted.node, admitted.boot).forget(admitted.seq)
        else:
            self.volatile[admitted.node].forget(admitted.boot, admitted.seq)

    def addressed(self, topic: str) -> str:
        """The node of an uplink's topic; UNKNOWN for any other."""
        return self._topics.get(topic, UNKNOWN)

    def set_keys(self, keys: Mapping[str, KeyRing]) -> None:
        """Keys were given out, proven or revoked; there may be new nodes, none is gone."""
        self._keys = {**self._keys, **keys}
        for node in keys:
            self._topics.setdefault(uplink_topic(self._site, node), node)
            self.volatile.setdefault(node, VolatileWindow())
        self._spoken = {n: spoken for n, spoken in self._spoken.items() if spoken in self._good(n)}

    def keys_of(self, node: str) -> NodeKeys | None:
        """What to seal for a node with: the keys it spoke under last; None for a revoked one."""
        good = self._good(node)
        given = self._spoken.get(node) or (good[0] if good else None)
        return self.epochs.of(node, given)[1] if given else None

    def _good(self, node: str) -> tuple[NodeKeys, ...]:
        return self._keys[node].accepted

    def _open(self, node: str, topic: str, data: bytes, now_us: int) -> tuple[bytes, bytes]:
        """(Partial IV, payload). Raises WireError, and Refusal for what a revoked node sealed."""
        ring, epochs = self._keys[node], self.epochs
        problem: WireError | None = None
        for given in (*ring.accepted, *ring.barred):
            _past, present, following = epochs.of(node, given)
            for keys in (present, following):
                try:
                    opened = seal.open_sealed(keys.up_key, keys.up_iv, data, topic.encode())
                except WireError as error:
                    problem = error
                    continue
                if given in ring.barred:
                    raise Refusal("revoked", node)
                self._spoken[node] = given
                if keys is not present:
                    epochs.used(node, given, keys)
                return opened
        if problem is None:
            raise Refusal("revoked", node)
        if problem.reason != "bad_tag":
            raise problem
        return self._open_elsewhere(node, topic, data, now_us)

    def _open_elsewhere(
        self, node: str, topic: str, data: bytes, now_us: int
    ) -> tuple[bytes, bytes]:
        """As `_open`, of an epoch that is neither the present one nor the next."""
        epochs, aad = self.epochs, topic.encode()
        for given in self._good(node):
            past = epochs.of(node, given)[0]
            if past is not None:
                with suppress(WireError):
                    piv, _payload = seal.open_sealed(past.up_key, past.up_iv, data, aad)
                    raise Refusal(OLD_EPOCH if self._knows(node, piv) else STALE_KEY, node)
            # A node that has sent since the start of the gateway cannot be ahead of it.
            for epoch, key, iv in () if node in self._spoken else epochs.ahead(node, given, now_us):
                with suppress(WireError):
                    opened = seal.open_sealed(key, iv, data, aad)
                    self._spoken[node] = given
                    epochs.used(node, given, at_epoch(given, epoch))
                    return opened
        raise WireError("bad_tag")

    def _knows(self, node: str, piv: bytes) -> bool:
        """Whether a message has been here before: a broker's late copy then. So may be its last
        will, which is of the connection on which the node went on."""
        space, number, seq = seal.parse_up_piv(piv)
        boot = boots.latest(self.newest_boot(node), number)
        if space == seal.VOLATILE:
            return self.volatile[node].newest >= boot << 16 | seq
        return self.sequence(node, boot).has(seq)

    def newest_boot(self, node: str) -> int:
        """The newest start of a node that a volatile message came from; 0: none."""
        return self.volatile[node].newest >> 16

    def _boot_of(self, node: str, number: int, message: UpMessage) -> int:
        """The start that a message belongs to. A hello states it, others are near the newest."""
        if isinstance(message, Hello):
            return boots.of_turn(message.turn or 0, number)
        return boots.latest(self.newest_boot(node), number)

    def sequence(self, node: str, boot: int) -> DurableSequence:
        """Which durable messages of that boot have come."""
        return self.durable[node, boot]

    def _unaddressed(self, topic: str) -> NoReturn:
        """A topic of none of our nodes. Raises Refusal."""
        match = _TOPIC.fullmatch(topic) if len(topic) <= MAX_TOPIC else None
        if match is None:
            raise Refusal("bad_topic", UNKNOWN)
        raise Refusal("foreign_site" if match[1] != self._site else "unknown_node", UNKNOWN)


def _space_allowed(message: UpMessage, space: int) -> bool:
    """The counter spaces of the schema; a volatile condition can only be the Will."""
    if space not in message.SPACES:
        return False
    if space == seal.VOLATILE and type(message) is Condition:
        return message.kind is ConditionKind.LINK_LOST
    return True
