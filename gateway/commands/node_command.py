# SPDX-License-Identifier: MIT
"""Commands: `groundwatch node ping|reboot|snippet`: ask a node for something and wait."""

from __future__ import annotations

import argparse
import sys
import time
import wave
from collections.abc import Sequence
from pathlib import Path

import msgspec

from gateway.api.schema.bodies import NodeCommandBody
from gateway.commands.client import Client, part
from gateway.errors import ConfigError
from gateway.model.actions.node_command import NodeCommand, NodeCommandKind, NodeCommandState
from gateway.node_commands.snippets import Waveform

_POLL_S = 0.5
_FULL_SCALE = 32_767
_DEFAULT_REASONS = {NodeCommandKind.PING: "test of the connection"}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of these actions."""
    parser.add_argument("--reason", help="for the audit; needed for reboot and snippet")
    parser.add_argument(
        "--minutes", type=int, default=5, help="after which the command is void (default 5)"
    )
    parser.add_argument("--seconds", type=int, help="of a snippet, 1 to 8 (default 6)")
    parser.add_argument("--out", type=Path, help="where a snippet goes, as a WAV file")
    parser.add_argument("--no-wait", action="store_true", help="do not wait for the answer")


def run(args: argparse.Namespace, client: Client) -> int:
    """0 when the node has done it, 1 when not. Raises ConfigError for what the user can mend."""
    kind = NodeCommandKind(args.action)
    command = client.post(f"/nodes/{part(args.name)}/commands", NodeCommand, _body(args, kind))
    if not args.no_wait:
        command = _ended(client, command, quiet=args.json)
    if args.json:
        print(msgspec.json.encode(command).decode())
    else:
        print(_line(command))
    done = command.state is NodeCommandState.DONE
    if done and kind is NodeCommandKind.SNIPPET:
        _keep(client, command, args.out or Path(f"{command.node}-{command.id}.wav"))
    return 0 if done or args.no_wait else 1


def _body(args: argparse.Namespace, kind: NodeCommandKind) -> NodeCommandBody:
    reason = args.reason or _DEFAULT_REASONS.get(kind)
    if reason is None:
        raise ConfigError(f'give a reason: groundwatch node {kind.value} n01 --reason "..."')
    seconds = (args.seconds or 6) if kind is NodeCommandKind.SNIPPET else None
    if seconds is None and (args.seconds or args.out):
        raise ConfigError("--seconds and --out belong to snippet")
    return NodeCommandBody(kind=kind, reason=reason, minutes=args.minutes, seconds=seconds)


def _ended(client: Client, command: NodeCommand, quiet: bool) -> NodeCommand:
    """The command once it is over; the gateway ends it in any case."""
    shown = None
    while not command.state.final:
        if command.state is not shown and not quiet and sys.stderr.isatty():
            print(f"{command.node}: {command.state.value} ...", file=sys.stderr)
        shown = command.state
        time.sleep(_POLL_S)
        command = client.get(f"/node-commands/{command.id}", NodeCommand)
    return command


def _line(command: NodeCommand) -> str:
    took = ""
    if command.ended_us:
        took = f" after {(command.ended_us - command.ordered_us) / 1e6:.1f} s"
    problem = f": {command.problem}" if command.problem else ""
    return f"{command.node}  {command.kind.value}  {command.state.value}{took}{problem}"


def _keep(client: Client, command: NodeCommand, path: Path) -> None:
    waveform = client.get(f"/node-commands/{command.id}/waveform", Waveform)
    try:
        write_wav(path, waveform)
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from None
    lost = f", {waveform.parts_missing} of {waveform.parts} parts missing (silent in the file)"
    seconds = len(waveform.samples) / waveform.fs_hz
    print(f"{path}: {seconds:.1f} s at {waveform.fs_hz} Hz{lost if waveform.parts_missing else ''}")


def write_wav(path: Path, waveform: Waveform) -> None:
    """16 bits, one channel. Raises OSError."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(waveform.fs_hz)
        file.writeframes(_frames(waveform.samples))


def _frames(samples: Sequence[int | None]) -> bytes:
    clipped = (max(-_FULL_SCALE, min(_FULL_SCALE, one or 0)) for one in samples)
    return b"".join(one.to_bytes(2, "little", signed=True) for one in clipped)
