# SPDX-License-Identifier: MIT
# link: opens a TCP connection without blocking and always closes its socket.
# asyncio.open_connection does not: Stream.close() of MicroPython 1.25 does nothing, and a cancelled
# attempt leaves its socket to the garbage collector, which closes none on the unix port.

import asyncio
import errno
import select

from micropython import const

_POLL_MS = const(20)


async def connect(address, port):
    # The connected socket. `address` is four numbers: a name would block all tasks. Raises OSError.
    import socket  # as asyncio does: at the first connection

    place = socket.getaddrinfo(address, port, 0, socket.SOCK_STREAM)[0][-1]
    made = socket.socket()
    try:
        made.setblocking(False)
        try:
            made.connect(place)
        except OSError as error:
            if error.errno != errno.EINPROGRESS:
                raise
        poller = select.poll()
        poller.register(made, select.POLLOUT)
        events = poller.poll(0)
        while not events:
            await asyncio.sleep_ms(_POLL_MS)
            events = poller.poll(0)
        if events[0][1] & (select.POLLERR | select.POLLHUP):
            raise OSError(errno.ECONNREFUSED)
    except BaseException:
        made.close()
        raise
    return made
