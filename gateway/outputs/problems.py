# SPDX-License-Identifier: MIT
"""Outputs: why it did not work, in plain words that are ours: nothing that the other side wrote."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator

import aiohttp
import aiosmtplib

# OpenSSL, x509_vfy.h: what people can do something about.
_CERTIFICATE = {
    9: "its certificate is not valid yet: check the clocks",
    10: "its certificate has expired",
    18: "its certificate is signed by itself alone: name it in ca_file",
    19: "its certificate is of an authority that is not trusted: name that in ca_file",
    20: "its certificate is of an authority that is not trusted: name that in ca_file",
    62: "its certificate is for another host",
    64: "its certificate is for another host",
}
_UNREACHABLE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN})


def plain(error: BaseException) -> str:
    """One clear line; the type's name when nothing better is known."""
    for one in _causes(error):
        if words := _words(one):
            return words
    return type(error).__name__


def _words(error: BaseException) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return _CERTIFICATE.get(error.verify_code, "its certificate is not in order")
        case ssl.SSLError() if "CERTIFICATE_REQUIRED" in (error.reason or ""):
            return "the other side wants a certificate of ours: cert_file"
        case ssl.SSLError() if "ALERT" in (error.reason or ""):
            return "the other side refused TLS with us"
        case ssl.SSLError():
            return "no TLS came about: another port, or other versions"
        case socket.gaierror():
            return "its name is not known: mistyped, or no name service"
        case ConnectionRefusedError():
            return "nobody listens there: the connection was refused"
        case ConnectionAbortedError():
            return "it hung up before it let us in: another port, or it wants a certificate of ours"
        case ConnectionResetError() | BrokenPipeError():
            return "the other side cut the connection off"
        case aiohttp.ServerDisconnectedError() | aiosmtplib.SMTPServerDisconnected():
            return "the other side hung up without an answer"
        case TimeoutError() | aiosmtplib.SMTPTimeoutError():
            return "no answer in time"
        case OSError() if error.errno in _UNREACHABLE:
            return "no way there: the network is not reachable"
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
        if isinstance(one, aiohttp.ClientConnectorError):
            left.append(one.os_error)
        if isinstance(one, aiohttp.ClientConnectorCertificateError):
            inner = one.certificate_error
            left.append(inner if isinstance(inner, BaseException) else None)
    return reversed(seen)
