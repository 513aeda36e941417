# SPDX-License-Identifier: MIT
"""API: the stream: the whole picture, then only what has changed, as server-sent events.

A client that reads slowly has no queue: when it is ready it gets one delta of everything since the
version it has. A heartbeat at least every 2 s carries the gateway's clock; silence means that the
gateway is gone.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable

import msgspec
from aiohttp import web

from gateway.api.call import ApiError
from gateway.api.schema.answers import ChangeView, PictureView
from gateway.model.actions.identity import Identity
from gateway.ports.picture import Delta, Picture

MAX_CLIENTS = 64
PERIOD_S = 0.2  # at most so often
HEARTBEAT_S = 2.0
WRITE_S = 30.0  # a client that takes nothing for so long is let go
_WHOLE_S = 1.0  # a rendering of everything serves all who come within it


class _Rendered(msgspec.Struct, frozen=True):
    version: int
    at_s: float
    body: bytes


class Stream:
    """Deltas of one picture. `watching` counts open streams by name, `on_duty` those of people at
    consoles."""

    def __init__(
        self,
        picture: Picture,
        clock_us: Callable[[], int],
        failed: Callable[[str, Exception], None],
    ) -> None:
        self.watching: Counter[str] = Counter()
        self.on_duty: Counter[str] = Counter()
        self._picture = picture
        self._clock_us = clock_us
        self._failed = failed
        # Versions count from 0 in every run of the gateway: a cursor is good for one run only.
        self._run = secrets.token_hex(4)
        self._whole = _Rendered(-1, 0.0, b"")

    @property
    def clients(self) -> int:
        """Open streams."""
        return self.watching.total()

    def view(self, since: str, kinds: str) -> PictureView:
        """What is different since that cursor, or everything."""
        return self._view(self._picture.since(self._version(since)), _chosen(kinds))

    async def serve(
        self,
        request: web.Request,
        who: Identity,
        still: Callable[[], bool],
        since: str,
        kinds: str,
    ) -> web.StreamResponse:
        """Until the client disconnects, or `still` is false: it may not read any more."""
        if self.clients >= MAX_CLIENTS:
            raise ApiError(503, "too many streams are open: close one")
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        self.watching[who.name] += 1
        self.on_duty[who.name] += who.session
        try:
            await self._write(response, still, self._version(since), _chosen(kinds))
        except (ConnectionError, TimeoutError):
            pass  # the client is gone or asleep; it asks again when it wakes
        except Exception as error:  # the answer has started: it ends, and the client asks again
            self._failed("the stream", error)
        finally:
            self.watching[who.name] -= 1
            self.on_duty[who.name] -= who.session
        return response

    async def _write(
        self,
        response: web.StreamResponse,
        still: Callable[[], bool],
        version: int,
        kinds: frozenset[str],
    ) -> None:
        while still():
            if version <= 0 and not kinds:
                rendered = self._rendered()
                version, body = rendered.version, rendered.body
            else:
                delta = self._picture.since(version)
                version, body = delta.version, self._event(self._view(delta, kinds))
            async with asyncio.timeout(WRITE_S):
                await response.write(body)
            await asyncio.sleep(PERIOD_S)
            try:
                async with asyncio.timeout(HEARTBEAT_S - PERIOD_S):
                    await self._picture.changed(version)
            except TimeoutError:
                pass  # nothing has changed: an empty delta is the heartbeat

    def _rendered(self) -> _Rendered:
        now_s = asyncio.get_running_loop().time()
        if self._whole.version < 0 or now_s - self._whole.at_s > _WHOLE_S:
            view = self._view(self._picture.since(0), frozenset())
            self._whole = _Rendered(view.version, now_s, self._event(view))
        return self._whole

    def encoded(self, view: PictureView) -> bytes:
        """As JSON. One thing that cannot be encoded must not keep the others from the page."""
        try:
            return msgspec.json.encode(view)
        except Exception as error:
            self._failed("picture for the API", error)
        good = [change for change in view.changes if _encodes(change)]
        return msgspec.json.encode(msgspec.structs.replace(view, changes=good))

    def _event(self, view: PictureView) -> bytes:
        name = b"picture" if view.whole else b"changes" if view.changes else b"heartbeat"
        cursor = view.cursor.encode()
        data = self.encoded(view)
        return b"event: " + name + b"\nid: " + cursor + b"\ndata: " + data + b"\n\n"

    def _view(self, delta: Delta, kinds: frozenset[str]) -> PictureView:
        return PictureView(
            version=delta.version,
            cursor=f"{self._run}.{delta.version}",
            whole=delta.whole,
            now_us=self._clock_us(),
            changes=[
                ChangeView(kind=kind, id=name, value=value)
                for kind, name, value in delta.changes
                if not kinds or kind in kinds
            ],
        )

    def _version(self, cursor: str) -> int:
        run, _, number = cursor.partition(".")
        if run != self._run or not (number.isascii() and number.isdigit()):
            return 0
        return int(number[:18])


def _encodes(change: ChangeView) -> bool:
    try:
        msgspec.json.encode(change)
    except Exception:
        return False
    return True


def _chosen(kinds: str) -> frozenset[str]:
    return frozenset(kind for kind in kinds.split(",") if kind)
