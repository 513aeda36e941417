# SPDX-License-Identifier: MIT
"""Console: who is signed on: a random token in a cookie, good for one shift. The clock is given."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

from gateway.console.operators import Operator

SHIFT_S = 12 * 3600.0  # a night watch; then who sits there signs on again
SESSIONS_MOST = 64
FAILURES_MOST = 5  # of one name within the window; then it has to wait
FAILURES_ALL_MOST = 30  # of all names together
FAILURE_WINDOW_S = 300.0


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-on; `until_s` is of the clock the sessions were given."""

    operator: Operator
    until_s: float


class Sessions:
    """Sessions by the hash of their token: what is in memory signs nobody on."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._secret = secrets.token_bytes(32)
        self._held: dict[bytes, Session] = {}

    def new_token(self) -> str:
        """For a visitor who is not signed on yet: the sign-on form is protected as well."""
        return secrets.token_urlsafe(32)

    def csrf(self, token: str) -> str:
        """What a page must send along with every act; other sites cannot know it."""
        return hmac.new(self._secret, token.encode(), hashlib.sha256).hexdigest()

    def csrf_fits(self, token: str, given: str) -> bool:
        """In constant time."""
        return hmac.compare_digest(self.csrf(token).encode(), given.encode())

    def sign_on(self, operator: Operator) -> str:
        """A fresh token (one from before the sign-on might be known to others)."""
        self._drop_expired()
        while len(self._held) >= SESSIONS_MOST:
            self._held.pop(next(iter(self._held)))
        token = self.new_token()
        self._held[_name(token)] = Session(operator, self._clock() + SHIFT_S)
        return token

    def of(self, token: str) -> Session | None:
        """The session, as long as it lasts."""
        session = self._held.get(_name(token))
        return session if session and self._clock() < session.until_s else None

    def sign_off(self, token: str) -> None:
        """End it."""
        self._held.pop(_name(token), None)

    def on_watch(self) -> set[str]:
        """Names of who is signed on."""
        self._drop_expired()
        return {session.operator.name for session in self._held.values()}

    def _drop_expired(self) -> None:
        now_s = self._clock()
        self._held = {name: held for name, held in self._held.items() if now_s < held.until_s}


class Throttle:
    """Counts failed sign-ons. Names nobody has share one count, so that it stays bounded."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures: deque[tuple[float, str]] = deque(maxlen=FAILURES_ALL_MOST)
        self.failed = 0

    def wait_s(self, name: str) -> float:
        """Seconds until this name may be tried again; 0: now."""
        since_s = self._clock() - FAILURE_WINDOW_S
        while self._failures and self._failures[0][0] <= since_s:
            self._failures.popleft()
        counts = Counter(who for _at, who in self._failures)
        if counts[name] < FAILURES_MOST and len(self._failures) < FAILURES_ALL_MOST:
            return 0.0
        oldest_s = next(at for at, who in self._failures if who == name or counts[name] == 0)
        return max(1.0, oldest_s - since_s)

    def failure(self, name: str) -> None:
        """One more."""
        self.failed += 1
        self._failures.append((self._clock(), name))


def _name(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
