# SPDX-License-Identifier: MIT
# link: looks up the address of a name (DNS, RFC 1035) without blocking. MicroPython's getaddrinfo()
# stops all tasks until the name server answers or all tries fail: 6.4 s on a Pico W, and the
# watchdog is fed by a task.

import asyncio
import errno
import os
import socket

from micropython import const

_PORT = const(53)
_TRIES = const(3)
_WAIT_MS = const(2_000)
_POLL_MS = const(50)
# Datagrams read at a time: a flood of them must not delay the other tasks.
_READS_MAX = const(8)
_ANSWER_MAX = const(512)
_HEAD = const(12)
_TYPE_A_IN = b"\0\1\0\1"
# A name with this ending is a multicast query (RFC 6762). A query from a port other than 5353 is
# answered to that port, in the form of an ordinary answer (section 6.7).
_LOCAL = ".local"
_LOCAL_SERVER = "224.0.0.251"
_LOCAL_PORT = const(5353)


def question_of(name):
    # The question for the addresses of `name`. Raises OSError for an invalid host name.
    out = bytearray()
    for label in name.encode().split(b"."):
        if not 0 < len(label) < 64:
            raise OSError("%s is no name of a host" % name)
        out.append(len(label))
        out.extend(label)
    return bytes(out) + b"\0" + _TYPE_A_IN


def query(number, question):
    # One question, recursion desired (section 4.1.1).
    return number.to_bytes(2, "big") + b"\1\0\0\1\0\0\0\0\0\0" + question


def parse_answer(data, number, question):
    # The first address in an answer to this question. None if it has none, or if it is invalid:
    # another id, question or form. Compressed names are skipped, never followed.
    at = _HEAD + len(question)
    if len(data) < at or int.from_bytes(data[:2], "big") != number:
        return None
    # QR 1, opcode 0, TC 0, RCODE 0, one question.
    if data[2] & 0xFA != 0x80 or data[3] & 0x0F or data[4:6] != b"\0\1":
        return None
    if data[_HEAD:at].lower() != question.lower():
        return None
    for _ in range(int.from_bytes(data[6:8], "big")):
        at = _skip_name(data, at)
        if at is None or at + 10 > len(data):
            return None
        kind = data[at : at + 4]
        size = int.from_bytes(data[at + 8 : at + 10], "big")
        at += 10 + size
        if at > len(data):
            return None
        # The top bit of the class is the cache-flush bit of RFC 6762 section 10.2.
        if kind[:2] == b"\0\1" and kind[2] & 0x7F == 0 and kind[3] == 1 and size == 4:
            return _usable(data[at - 4 : at])
    return None


def _skip_name(data, at):
    # The place after a name, None if it is truncated.
    while at < len(data):
        size = data[at]
        if size >= 0xC0:
            return at + 2
        if size > 63:
            return None
        at += 1 + size
        if not size:
            return at
    return None


def _usable(four):
    # Not "this host" and no multicast address.
    if four[0] == 0 or four[0] >= 224:
        return None
    return "%d.%d.%d.%d" % tuple(four)


def _place(address, port):
    return socket.getaddrinfo(address, port, 0, socket.SOCK_DGRAM)[0][-1]


def _random_port():
    # An off-path forger has to guess id and port (RFC 5452 section 9.2).
    return 49152 + int.from_bytes(os.urandom(2), "big") % 16384


async def resolve(name, server, port=_PORT):
    # The address of `name` from the name server at address `server`. Raises OSError, after 6 s
    # without an answer.
    question = question_of(name)
    is_local = name.endswith(_LOCAL)
    if is_local:
        server, port = _LOCAL_SERVER, _LOCAL_PORT
    elif server == "0.0.0.0":
        raise OSError("the network has no name server")
    asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        asked.setblocking(False)
        asked.bind(_place("0.0.0.0", _random_port()))
        place = _place(server, port)
        for _ in range(_TRIES):
            number = int.from_bytes(os.urandom(2), "big")
            asked.sendto(query(number, question), place)
            for _ in range(_WAIT_MS // _POLL_MS):
                await asyncio.sleep_ms(_POLL_MS)
                found = _read(asked, None if is_local else place, number, question)
                if found is not None:
                    return found
    finally:
        asked.close()
    raise OSError("no address for %s from %s" % (name, server))


def _read(asked, place, number, question):
    for _ in range(_READS_MAX):
        try:
            data, source = asked.recvfrom(_ANSWER_MAX)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.ETIMEDOUT):
                raise
            return None
        if place is None or source == place:
            found = parse_answer(data, number, question)
            if found is not None:
                return found
    return None
