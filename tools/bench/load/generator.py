# SPDX-License-Identifier: MIT
"""Workbench, bench: the load generator, a process of its own.

Prints "ready" when all nodes are connected, starts at a line on its input, prints the
CLOCK_MONOTONIC nanoseconds of the start, and at the end the seconds of processor that it used since
then. `--times` keeps the nanoseconds at which each message of `--rate` was sent.
"""

from __future__ import annotations

import argparse
import array
import sys
import time
from collections import deque
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from tools.bench.load.messages import Sealed, read_messages
from tools.bench.load.nodes import Crowd

_WINDOW = 64  # messages of one node on the way to the broker
_CHUNK = 16  # messages of one write
# Between looks at the acknowledgements. To wake for each of them took 25 us of processor per
# message; what 100 nodes may have under way lasts for ten such pauses at 30,000 messages/s.
_PAUSE_S = 0.02
_ORDERED_WINDOW = 128  # of all nodes together: more would let one node overtake another
_STALL_S = 30.0
_Packets = Sequence[tuple[Sealed, bytes]]
_LAST_S = 1.0  # after the last paced message: the observer still looks


def _flood(crowd: Crowd, packets: _Packets) -> float:
    """As fast as the broker acknowledges, each node for itself."""
    chunks: dict[int, deque[tuple[bytes, int]]] = {}
    by_node = sorted(packets, key=lambda one: one[0].node)  # stable: keeps each node's order
    for index, mine in groupby(by_node, key=lambda one: one[0].node):
        data = [one for _, one in mine]
        parts = [data[at : at + _CHUNK] for at in range(0, len(data), _CHUNK)]
        chunks[index] = deque((b"".join(part), len(part)) for part in parts)
    used_s = _start()
    moved_s = time.monotonic()
    while chunks or crowd.unacked:
        for index in list(chunks):
            node, left = crowd.nodes[index], chunks[index]
            while left and node.unacked <= _WINDOW - _CHUNK:
                crowd.write(index, *left.popleft())
            if not left:
                del chunks[index]
        time.sleep(_PAUSE_S)
        if crowd.read_acks():
            moved_s = time.monotonic()
        elif time.monotonic() - moved_s > _STALL_S:
            raise OSError("the broker stopped acknowledging")
    return used_s


def _in_order(crowd: Crowd, packets: _Packets, speed: float) -> float:
    """By time: all messages of one second together. `speed` 0: as fast as they are acknowledged."""
    seconds = [
        (second, list(group))
        for second, group in groupby(packets, key=lambda one: one[0].due_ms // 1000)
    ]
    used_s, start_s = _start(), time.monotonic()
    for second, group in seconds:
        if speed:
            time.sleep(max(0.0, start_s + second / speed - time.monotonic()))
        for message, data in group:
            _await_acks(crowd, _ORDERED_WINDOW)
            crowd.write(message.node, data, 1)
    _await_acks(crowd, 1)
    return used_s


def _await_acks(crowd: Crowd, below: int) -> None:
    """Return once fewer than `below` messages are on the way."""
    if crowd.unacked < below:
        return
    deadline_s = time.monotonic() + _STALL_S
    while crowd.unacked >= below:
        crowd.read_acks(0.1)
        if time.monotonic() > deadline_s:
            raise OSError("the broker stopped acknowledging")


def _pace(crowd: Crowd, packets: _Packets, rate: float, file: Path) -> float:
    """Evenly. Acknowledgements stay in the sockets, which hold about ten thousand of them: waking
    for each would take processor time from the measured system."""
    times = array.array("q")
    used_s, start_s = _start(), time.monotonic()
    for number, (message, data) in enumerate(packets):
        time.sleep(max(0, start_s + number / rate - time.monotonic()))
        times.append(time.monotonic_ns())
        crowd.write(message.node, data, 1)
    time.sleep(_LAST_S)
    file.write_bytes(times.tobytes())
    return used_s


def _start() -> float:
    """Wait for the line; the seconds of processor used before."""
    print("ready", flush=True)
    sys.stdin.readline()
    print(time.monotonic_ns(), flush=True)
    return time.process_time()


def _run(args: argparse.Namespace) -> None:
    crowd = Crowd(args.nodes, args.port)
    messages = read_messages(args.messages)
    packets = [(one, crowd.nodes[one.node].encode(one.data)) for one in messages]
    if args.rate:
        used_s = _pace(crowd, packets, args.rate, args.times)
    elif args.speed is not None:
        used_s = _in_order(crowd, packets, args.speed)
    else:
        used_s = _flood(crowd, packets)
    print(f"{time.process_time() - used_s:.6f}", flush=True)
    crowd.close()


def main() -> None:
    """Run by `groundwatch bench`."""
    parser = argparse.ArgumentParser(prog="tools.bench.load.generator", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--nodes", type=int, required=True)
    parser.add_argument("--rate", type=float, default=0, help="messages/s, evenly")
    parser.add_argument("--times", type=Path, help="where the send times of --rate go")
    parser.add_argument("--speed", type=float, help="by time; 0: as fast as can be")
    parser.add_argument("messages", type=Path)
    _run(parser.parse_args())


if __name__ == "__main__":
    main()
