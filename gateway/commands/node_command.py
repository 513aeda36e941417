# SPDX-License-Identifier: MIT
"""Commands: `groundwatch node ping|reboot|snippet|configure|identify|log`: ask and wait."""

from __future__ import annotations

import argparse
import sys
import time
import wave
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from gateway.api.schema.bodies import NodeCommandBody
from gateway.commands.client import Client, part
from gateway.errors import ConfigError
from gateway.model import node_settings
from gateway.model.actions.node_command import NodeCommand, NodeCommandKind, NodeCommandState
from gateway.model.view import NodeView
from gateway.node_commands.lines import NodeLog
from gateway.node_commands.snippets import Waveform

_POLL_S = 0.5
_FULL_SCALE = 32_767
_DEFAULT_REASONS = {
    NodeCommandKind.PING: "test of the connection",
    NodeCommandKind.IDENTIFY: "to find the node",
    NodeCommandKind.LOG: "to read its log",
}
_DEFAULT_SECONDS = {NodeCommandKind.SNIPPET: 6, NodeCommandKind.IDENTIFY: 20}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of these actions."""
    names = ", ".join(one.name for one in node_settings.SETTINGS)
    parser.add_argument(
        "values", nargs="*", metavar="NAME=VALUE", help=f"what configure changes: {names}"
    )
    parser.add_argument("--reason", help="for the audit; needed for reboot, snippet, configure")
    parser.add_argument(
        "--minutes",
        type=int,
        help="after which the command is void (default 5; in radio burst two more contacts)",
    )
    parser.add_argument(
        "--seconds", type=int, help="of a snippet, 1 to 8 (6); of identify, 1 to 60 (20)"
    )
    parser.add_argument("--out", type=Path, help="where a snippet goes, as a WAV file")
    parser.add_argument("--no-wait", action="store_true", help="do not wait for the answer")


def run(args: argparse.Namespace, client: Client) -> int:
    """0 when the node has done it, 1 when not. Raises ConfigError for what the user can mend."""
    kind = NodeCommandKind(args.action)
    if kind is NodeCommandKind.CONFIGURE and not args.values:
        return _print_settings(args, client)
    command = client.post(f"/nodes/{part(args.name)}/commands", NodeCommand, _body(args, kind))
    if not args.no_wait:
        command = ended(client, command, quiet=args.json)
    done = command.state is NodeCommandState.DONE
    if done and kind is NodeCommandKind.LOG:
        return _print_log(args, client, command)
    if args.json:
        print(msgspec.json.encode(command).decode())
    else:
        print(line_of(command))
    if done and kind is NodeCommandKind.CONFIGURE and not args.json:
        _print_values(node_settings.shown(command.answer_settings or {}))
    if done and kind is NodeCommandKind.SNIPPET:
        _keep(client, command, args.out or Path(f"{command.node}-{command.id}.wav"))
    return 0 if done or args.no_wait else 1


def _body(args: argparse.Namespace, kind: NodeCommandKind) -> NodeCommandBody:
    reason = args.reason or _DEFAULT_REASONS.get(kind)
    if reason is None:
        raise ConfigError(f'give a reason: groundwatch node {kind.value} n01 --reason "..."')
    seconds = _DEFAULT_SECONDS.get(kind)
    if seconds is None and args.seconds is not None:
        raise ConfigError("--seconds belongs to snippet and identify")
    if args.out is not None and kind is not NodeCommandKind.SNIPPET:
        raise ConfigError("--out belongs to snippet")
    if args.values and kind is not NodeCommandKind.CONFIGURE:
        raise ConfigError(f"{kind.value} takes no {args.values[0][:40]!r}: that is for configure")
    settings: dict[str, node_settings.Value] | None = None
    if args.values:
        try:
            # Checked here so that a slip costs no way to the gateway, and there again.
            settings = dict(node_settings.parse_words(args.values))
            settings = node_settings.shown(node_settings.parse(settings))
        except node_settings.SettingsError as error:
            raise ConfigError(str(error)) from None
    return NodeCommandBody(
        kind=kind,
        reason=reason,
        minutes=args.minutes,
        seconds=seconds if args.seconds is None else args.seconds,
        settings=settings,
    )


def _print_settings(args: argparse.Namespace, client: Client) -> int:
    """What the node stated in its newest hello."""
    node = client.get(f"/nodes/{part(args.name)}", NodeView)
    if node.settings is None:
        raise ConfigError(f"{node.id} has not stated its settings: its firmware is older, or it "
                          "has not connected, or it runs in safe mode")  # fmt: skip
    if args.json:
        print(msgspec.json.encode(node.settings).decode())
    else:
        _print_values(node.settings)
    return 0


def _print_values(values: Mapping[str, node_settings.Value]) -> None:
    rows = {one.name: one for one in node_settings.SETTINGS}
    for name, value in values.items():
        one = rows[name]
        bounds = " or ".join(one.names) if one.names else f"{one.low} to {one.high}"
        print(f"{name:<14}  {value!s:<10}  {one.meaning}; {bounds}")


def _print_log(args: argparse.Namespace, client: Client, command: NodeCommand) -> int:
    log = client.get(f"/node-commands/{command.id}/log", NodeLog)
    if args.json:
        print(msgspec.json.encode(log).decode())
        return 0
    for line in log.lines:
        print(line)
    if log.parts_missing:
        print(f"{log.parts_missing} of {log.parts} parts are missing: ask again", file=sys.stderr)
    return 0


def ended(client: Client, command: NodeCommand, quiet: bool) -> NodeCommand:
    """The command once it is over; the gateway ends it in any case."""
    shown = None
    if command.contact_s and not command.state.final and not quiet:
        print(_waits(command), file=sys.stderr)
    while not command.state.final:
        if command.state is not shown and not quiet and sys.stderr.isatty():
            print(f"{command.node}: {command.state.value} ...", file=sys.stderr)
        shown = command.state
        time.sleep(_POLL_S)
        command = client.get(f"/node-commands/{command.id}", NodeCommand)
    return command


def _waits(command: NodeCommand) -> str:
    minutes = -(-command.contact_s // 60)
    return f"{command.node}: waits for the node's next contact, at most {minutes} min"


def line_of(command: NodeCommand) -> str:
    """What became of it, in one line."""
    took = ""
    if command.ended_us:
        took = f" after {(command.ended_us - command.ordered_us) / 1e6:.1f} s"
    problem = f": {command.problem}" if command.problem else ""
    if command.contact_s and command.state is NodeCommandState.WAITING:
        return f"{command.kind.value}  {_waits(command)}"
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
