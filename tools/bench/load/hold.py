# SPDX-License-Identifier: MIT
"""Workbench, bench: nodes that stay connected and send heartbeats, one process.

Prints "connected", then one line for every second: how many are still connected.
"""

from __future__ import annotations

import argparse
import sys
import time

from tools.bench.load.messages import heartbeat, node_keys
from tools.bench.load.nodes import Crowd


def _run(args: argparse.Namespace) -> None:
    crowd, keys = Crowd(args.nodes, args.port), node_keys(args.nodes)
    print("connected", flush=True)
    start_s, sent, reported_s = time.monotonic(), 0, 0
    while (now_s := time.monotonic() - start_s) < args.seconds:
        due = int(now_s / args.every * args.nodes)
        while sent < due:
            turn, index = divmod(sent, args.nodes)
            node = crowd.nodes[index]
            if not node.closed:
                crowd.write(index, node.encode(heartbeat(keys[index], index, turn)), 1)
            sent += 1
        crowd.read_acks()
        if int(now_s) > reported_s:
            reported_s = int(now_s)
            print(sum(not node.closed for node in crowd.nodes), flush=True)
        time.sleep(0.01)
    print(f"sent {sent}", flush=True)
    sys.stdin.read()  # connected until the parent ends


def main() -> None:
    """Run by `groundwatch bench connections`."""
    parser = argparse.ArgumentParser(prog="tools.bench.load.hold", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--nodes", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--every", type=float, required=True, help="seconds between heartbeats")
    _run(parser.parse_args())


if __name__ == "__main__":
    main()
