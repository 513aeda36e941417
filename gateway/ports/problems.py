# SPDX-License-Identifier: MIT
"""Ports: why a connection failed, in our own words: no text of the other side.

Errors of libraries are known by the names of their types, so that no library is imported here.
"""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator

# OpenSSL, x509_vfy.h: what people can do something about.
_CERTIFICATE = {
    9: "its certificate is not valid yet: check the clocks",
    10: "its certificate has expired",
    18: "its certificate is self-signed: name it in ca_file",
    19: "its certificate is of an authority that is not trusted: name that in ca_file",
    20: "its certificate is of an authority that is not trusted: name that in ca_file",
    62: "its certificate is for another host",
    64: "its certificate is for another host",
}
_UNREACHABLE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN})
# MQTT 3.1.1, table 3.1.
_BROKER_REFUSED = {
    2: "the broker does not accept this client id",
    3: "the broker is not available now",
    4: "the broker refused user name or password",
    5: "the broker does not admit this user",
}
_CLOSED_EARLY = (
    "the connection was closed before it was accepted: another port, "
    "or the server asks for a certificate of ours"
)
_HUNG_UP = frozenset({"ServerDisconnectedError", "SMTPServerDisconnected"})


def failure_text(error: BaseException) -> str:
    """One clear line; the type's name when nothing better is known."""
    for one in _causes(error):
        if words := _words(one):
            return words
    return type(error).__name__


def _words(error: BaseException) -> str:
    name = type(error).__name__
    if name == "BrokerRefused":
        code = getattr(error, "code", 0)
        return _BROKER_REFUSED.get(code, f"the broker refused the connection with code {code}")
    if name in _HUNG_UP:
        return "the connection was closed without an answer"
    match error:
        case ssl.SSLCertVerificationError():
            return _CERTIFICATE.get(error.verify_code, "its certificate is invalid")
        case ssl.SSLError() if "CERTIFICATE_REQUIRED" in (error.reason or ""):
            return "the server asks for a certificate of ours: cert_file"
        case ssl.SSLError() if "ALERT" in (error.reason or ""):
            return "the server refused our TLS handshake"
        case ssl.SSLEOFError():  # its alert was lost behind a write of ours
            return _CLOSED_EARLY
        case ssl.SSLError():
            return "the TLS handshake failed: another port, or other versions"
        case socket.gaierror():
            return "its name was not found: mistyped, or no name service"
        case ConnectionRefusedError():
            return "connection refused: nothing accepts connections there"
        case ConnectionAbortedError():
            return _CLOSED_EARLY
        case ConnectionResetError() | BrokenPipeError():
            return "the connection was cut off"
        case TimeoutError():
            return "no answer in time"
        case OSError() if error.errno in _UNREACHABLE:
            return "the network is not reachable"
    return ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    """It and what is behind it, the deepest first: that is what happened."""
    seen: list[BaseException] = []
    left: list[BaseException | None] = [error]
    while left:
        one = left.pop()
        if one is None or one in seen:
            continue
        seen.append(one)
        left += [None if one.__suppress_context__ else one.__context__, one.__cause__]
        if isinstance(one, BaseExceptionGroup):
            left += one.exceptions
        # aiohttp keeps what happened in attributes.
        for name in ("os_error", "certificate_error"):
            inner = getattr(one, name, None)
            left.append(inner if isinstance(inner, BaseException) else None)
    return reversed(seen)
