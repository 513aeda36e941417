# SPDX-License-Identifier: MIT
"""Console: sessions: a random token in a cookie, valid for one shift. The clock is a parameter."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

from gateway.console.operators import Operator

SHIFT_S = 12 * 3600.0  # one shift; after it the operator signs in again
MAX_SESSIONS = 64
MAX_FAILURES = 5  # of one name within the window; after them it has to wait
MAX_FAILURES_ALL = 30  # of all names together
FAILURE_WINDOW_S = 300.0


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in; `until_s` is of the clock of the sessions."""

    operator: Operator
    until_s: float


class Sessions:
    """Sessions by the hash of their token: the memory of the gateway holds no valid token."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._secret = secrets.token_bytes(32)
        self._held: dict[bytes, Session] = {}

    def new_token(self) -> str:
        """For a visitor without a session: the sign-in form is protected as well."""
        return secrets.token_urlsafe(32)

    def csrf(self, token: str) -> str:
        """What a page must send with every request that acts; other sites cannot know it."""
        return hmac.new(self._secret, token.encode(), hashlib.sha256).hexdigest()

    def csrf_fits(self, token: str, given: str) -> bool:
        """In constant time."""
        return hmac.compare_digest(self.csrf(token).encode(), given.encode())

    def sign_in(self, operator: Operator) -> str:
        """A new token (one from before the sign-in might be known to others)."""
        self._drop_expired()
        while len(self._held) >= MAX_SESSIONS:
            self._held.pop(next(iter(self._held)))
        token = self.new_token()
        self._held[_name(token)] = Session(operator, self._clock() + SHIFT_S)
        return token

    def of(self, token: str) -> Session | None:
        """The session, as long as it lasts."""
        session = self._held.get(_name(token))
        return session if session and self._clock() < session.until_s else None

    def sign_out(self, token: str) -> None:
        """End it."""
        self._held.pop(_name(token), None)

    def on_duty(self) -> set[str]:
        """Names of the operators who are signed in."""
        self._drop_expired()
        return {session.operator.name for session in self._held.values()}

    def _drop_expired(self) -> None:
        now_s = self._clock()
        self._held = {name: held for name, held in self._held.items() if now_s < held.until_s}


class Throttle:
    """Counts failed sign-ins. Unknown names share one count, so that it stays bounded."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures: deque[tuple[float, str]] = deque(maxlen=MAX_FAILURES_ALL)
        self.failed = 0

    def wait_s(self, name: str) -> float:
        """Seconds until this name may be tried again; 0: now."""
        since_s = self._clock() - FAILURE_WINDOW_S
        while self._failures and self._failures[0][0] <= since_s:
            self._failures.popleft()
        counts = Counter(who for _at, who in self._failures)
        if counts[name] < MAX_FAILURES and len(self._failures) < MAX_FAILURES_ALL:
            return 0.0
        oldest_s = next(at for at, who in self._failures if who == name or counts[name] == 0)
        return max(1.0, oldest_s - since_s)

    def failure(self, name: str) -> None:
        """One more."""
        self.failed += 1
        self._failures.append((self._clock(), name))


def _name(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
