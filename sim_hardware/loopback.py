# SPDX-License-Identifier: MIT
"""Board layer, simulated: loopback ports for servers under test.

A port that the kernel chooses can go to an outgoing connection of another test before the server
opens it. These ports are below every ephemeral range (Linux from 32768, macOS from 49152). Each
test process has its own range and reuses a port only after it has used all others.
"""

from __future__ import annotations

import os
import socket
from itertools import count

from sim_hardware.errors import SimError

_FIRST = 10_000
_STRETCH = 2_500
_STRETCHES = 9

_worker = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
_worker_number = int(_worker) if _worker.isdecimal() else 0
_start = _FIRST + _STRETCH * (_worker_number % _STRETCHES)
# Two runs at the same time start at different ports.
_steps = count(os.getpid())


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port of 127.0.0.1 on which nothing listens. Raises SimError when all are taken."""
    for _ in range(_STRETCH):
        port = _start + next(_steps) % _STRETCH
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise SimError("every loopback port of this process is taken; end other servers first")
