# SPDX-License-Identifier: MIT
"""API access: whose request it is, and whether it may come at all."""

from __future__ import annotations

import socket
from typing import Protocol

from aiohttp import web

from gateway.api.access.local_socket import peer_name
from gateway.api.access.tokens import Tokens
from gateway.model.actions.identity import Identity, Scope

_BEARER = "Bearer "
_MAX_TOKEN = 128


class Sessions(Protocol):
    """People at consoles (gateway.console.authentication)."""

    def is_ours(self, request: web.Request) -> bool:
        """Whether it was asked for by a host name of ours."""

    def forged(self, request: web.Request) -> str:
        """Why a POST does not come from our own page; empty when it does."""

    def identity(self, request: web.Request) -> Identity | None:
        """The person signed in; None when there is none."""


class Access:
    """Three ways in: a login of this machine over the UNIX socket, a token, a session."""

    def __init__(self, sessions: Sessions, tokens: Tokens) -> None:
        self._sessions = sessions
        self._tokens = tokens

    def refusal(self, request: web.Request) -> str:
        """Why this request is not answered at all; empty when it is."""
        if is_local(request):
            return ""
        # A page elsewhere may point its name at our address (DNS rebinding).
        if not self._sessions.is_ours(request):
            return "unknown host name"
        # A browser sends cookies by itself, and neither tokens nor other headers.
        if request.method == "POST" and not _token(request):
            return self._sessions.forged(request)
        return ""

    def identity(self, request: web.Request) -> Identity | None:
        """Whose request it is; None without valid credentials. Raises TooManyFailures."""
        if is_local(request):
            return _peer(request)
        if token := _token(request):
            return self._tokens.identity(token)
        return self._sessions.identity(request)


def is_local(request: web.Request) -> bool:
    """Whether it came over the UNIX socket."""
    peer = _socket(request)
    return peer is not None and peer.family == socket.AF_UNIX


def _socket(request: web.Request) -> socket.socket | None:
    found: socket.socket | None = None
    if request.transport is not None:
        found = request.transport.get_extra_info("socket")
    return found


def _peer(request: web.Request) -> Identity | None:
    try:
        # The owner of the data folder: a user who may connect may change its files as well.
        return Identity(peer_name(_socket(request)), Scope.ADMIN)
    except OSError:
        return None


def _token(request: web.Request) -> str:
    """The bearer token; empty: none was sent."""
    written = request.headers.get("Authorization", "")
    if not written.startswith(_BEARER):
        return ""
    return written[len(_BEARER) :][:_MAX_TOKEN].strip() or "-"
