# SPDX-License-Identifier: MIT
"""Workbench: `groundwatch bench`: speed as ratios beside peers, never as a promise."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tools.bench import ingest, report
from tools.bench.systems import PEERS
from tools.errors import UserError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument(
        "subject",
        choices=("ingest",),
        help="ingest: durable messages/s beside a naive script and Node-RED",
    )
    parser.add_argument("--runs", type=int, default=3, help="interleaved runs (default: 3)")
    parser.add_argument(
        "--peers",
        default=",".join(peer.key for peer in PEERS),
        help="comma-separated, of naive and node_red (default: both; node_red needs npm)",
    )
    parser.add_argument("--markdown", type=Path, help="write the tables to this file")
    parser.add_argument("--json", action="store_true", help="the last line is JSON")


def run(args: argparse.Namespace) -> int:
    """0 when everything was measured. Raises UserError."""
    by_key = {peer.key: peer for peer in PEERS}
    words = [word for word in args.peers.split(",") if word]
    if unknown := [word for word in words if word not in by_key]:
        raise UserError(f"--peers: {unknown[0]!r} is none of {', '.join(by_key)}")
    if not 1 <= args.runs <= 99:
        raise UserError("--runs must be 1 to 99")
    result = ingest.bench([by_key[word] for word in words], args.runs, _tell)
    table = report.ingest_table(result)
    if args.markdown is not None:
        args.markdown.write_text(report.page(result))
    print(json.dumps(result.to_json()) if args.json else table)
    return 0


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
