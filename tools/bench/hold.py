# SPDX-License-Identifier: MIT
"""Workbench, bench: nodes that stay connected and say how they are now and then, one process.

Prints "connected", then one line for every second: how many are still connected.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from pathlib import Path

from tools.bench.load import Node, connect_all
from tools.bench.messages import heartbeat, node_keys


async def _run(args: argparse.Namespace) -> None:
    nodes, keys = await connect_all(args.nodes, args.port), node_keys(args.nodes)
    print("connected", flush=True)
    began_s, sent = time.monotonic(), 0
    told_s = 0
    while (now_s := time.monotonic() - began_s) < args.seconds:
        due = int(now_s / args.every * args.nodes)
        while sent < due:
            index, turn = sent % args.nodes, sent // args.nodes
            _say(nodes[index], heartbeat(keys[index], index, turn))
            sent += 1
        if int(now_s) > told_s:
            told_s = int(now_s)
            print(sum(not node.gone for node in nodes), flush=True)
        await asyncio.sleep(0.01)
    print(f"sent {sent}", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, Path("/dev/stdin").read_bytes)


def _say(node: Node, payload: bytes) -> None:
    if not node.gone:
        node.write(node.encode(payload), 1)


def main() -> None:
    """Run by `groundwatch bench connections`."""
    parser = argparse.ArgumentParser(prog="tools.bench.hold", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--nodes", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--every", type=float, required=True, help="seconds between heartbeats")
    asyncio.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
