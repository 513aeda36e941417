# SPDX-License-Identifier: MIT
"""Commands: `groundwatch node ping|reboot|snippet|configure|identify|log`: ask and wait."""

from __future__ import annotations

import io
import sys
import time
import wave
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from gateway.api.schema.bodies import NodeCommandBody
from gateway.commands.client import Client, part
from gateway.commands.options import PATH, config_option, json_option
from gateway.config import load_config
from gateway.errors import ConfigError
from gateway.files import write_atomic
from gateway.model import node_settings
from gateway.model.actions.node_command import NodeCommand, NodeCommandKind, NodeCommandState
from gateway.model.view import NodeView
from gateway.node_commands.lines import NodeLog
from gateway.node_commands.snippets import Waveform

_POLL_S = 0.5
_FULL_SCALE = 32_767
_Function = TypeVar("_Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Order:
    """What every command to a node has."""

    name: str
    reason: str | None
    minutes: int | None
    no_wait: bool
    config: Path
    as_json: bool

    def client(self) -> Client:
        """Raises ConfigError for a configuration that cannot be read."""
        return Client(load_config(self.config).data_dir)

    def body(self, kind: NodeCommandKind, default_reason: str = "") -> NodeCommandBody:
        """Raises ConfigError where a reason is needed and none was given."""
        reason = self.reason or default_reason
        if not reason:
            raise ConfigError(f'give a reason: groundwatch node {kind.value} n01 --reason "..."')
        return NodeCommandBody(kind=kind, reason=reason, minutes=self.minutes)

    def send(self, body: NodeCommandBody) -> NodeCommand:
        """The command once it is over, or at once with --no-wait."""
        client = self.client()
        command = client.post(f"/nodes/{part(self.name)}/commands", NodeCommand, body)
        return command if self.no_wait else ended(client, command, quiet=self.as_json)

    def show(self, command: NodeCommand) -> int:
        """0 when the node has done it, or with --no-wait; else 1."""
        print(msgspec.json.encode(command).decode() if self.as_json else line_of(command))
        return 0 if self.no_wait or _done(command) else 1


def _order(reason: str) -> Callable[[_Function], _Function]:
    """The node and the options that every command to a node has."""
    every = (
        click.argument("name", metavar="NODE"),
        click.option("--reason", help=reason),
        click.option(
            "--minutes",
            type=int,
            help="after which the command is void  [default: 5; in radio burst two more contacts]",
        ),
        click.option("--no-wait", is_flag=True, help="do not wait for the answer"),
        config_option(),
        json_option(),
    )

    def decorate(function: _Function) -> _Function:
        for one in reversed(every):
            function = one(function)
        return function

    return decorate


_OPTIONAL, _NEEDED = "for the audit", "for the audit; needed"


@click.command()
@_order(_OPTIONAL)
def ping(**given: Any) -> int:
    """0 when the node has answered, 1 when not."""
    order = Order(**given)
    return order.show(order.send(order.body(NodeCommandKind.PING, "test of the connection")))


@click.command()
@_order(_NEEDED)
def reboot(**given: Any) -> int:
    """0 when the node restarts, 1 when not."""
    order = Order(**given)
    return order.show(order.send(order.body(NodeCommandKind.REBOOT)))


@click.command()
@click.option("--seconds", type=click.IntRange(1, 60), default=20, help="how long its LED blinks")
@_order(_OPTIONAL)
def identify(seconds: int, **given: Any) -> int:
    """0 when the node blinks, 1 when not."""
    order = Order(**given)
    body = order.body(NodeCommandKind.IDENTIFY, "to find the node")
    return order.show(order.send(msgspec.structs.replace(body, seconds=seconds)))


@click.command()
@click.option("--seconds", type=click.IntRange(1, 8), default=6, help="how many of them")
@click.option("--out", type=PATH, help="the WAV file  [default: NODE-NUMBER.wav]")
@_order(_NEEDED)
def snippet(seconds: int, out: Path | None, **given: Any) -> int:
    """0 when the samples are in the file, 1 when the node did not send them."""
    if out is not None and not out.parent.is_dir():
        raise ConfigError(f"--out {out}: there is no folder {out.parent}")
    order = Order(**given)
    body = order.body(NodeCommandKind.SNIPPET)
    command = order.send(msgspec.structs.replace(body, seconds=seconds))
    status = order.show(command)
    if _done(command):
        kept = out or Path(f"{command.node}-{command.id}.wav")
        _keep(order.client(), command, kept, quiet=order.as_json)
    return status


@click.command()
@_order(_NEEDED)
@click.argument("values", nargs=-1, metavar="[NAME=VALUE]...")
def configure(values: Sequence[str], **given: Any) -> int:
    """Without values: the settings that the node stated. 0 when done, 1 when the node refused."""
    order = Order(**given)
    if not values:
        _print_settings(order)
        return 0
    body = order.body(NodeCommandKind.CONFIGURE)
    try:
        # Checked here so that a slip costs no way to the gateway, and there again.
        settings = dict(node_settings.parse_words(values))
        settings = node_settings.shown(node_settings.parse(settings))
    except node_settings.SettingsError as error:
        raise ConfigError(str(error)) from None
    command = order.send(msgspec.structs.replace(body, settings=settings))
    status = order.show(command)
    if _done(command) and not order.as_json:
        _print_values(node_settings.shown(command.answer_settings or {}))
    return status


@click.command()
@_order(_OPTIONAL)
def log(**given: Any) -> int:
    """0 when the node has sent its log, 1 when not."""
    order = Order(**given)
    command = order.send(order.body(NodeCommandKind.LOG, "to read its log"))
    if not _done(command):
        return order.show(command)
    _print_log(order, command)
    return 0


def _done(command: NodeCommand) -> bool:
    return command.state is NodeCommandState.DONE


def _print_settings(order: Order) -> None:
    """What the node stated in its newest hello."""
    node = order.client().get(f"/nodes/{part(order.name)}", NodeView)
    if node.settings is None:
        raise ConfigError(f"{node.id} has not stated its settings: its firmware is older, or it "
                          "has not connected, or it runs in safe mode")  # fmt: skip
    if order.as_json:
        print(msgspec.json.encode(node.settings).decode())
    else:
        _print_values(node.settings)


def _print_values(values: Mapping[str, node_settings.Value]) -> None:
    rows = {one.name: one for one in node_settings.SETTINGS}
    for name, value in values.items():
        one = rows[name]
        bounds = " or ".join(one.names) if one.names else f"{one.low} to {one.high}"
        print(f"{name:<14}  {value!s:<10}  {one.meaning}; {bounds}")


def _print_log(order: Order, command: NodeCommand) -> None:
    found = order.client().get(f"/node-commands/{command.id}/log", NodeLog)
    if order.as_json:
        print(msgspec.json.encode(found).decode())
        return
    for line in found.lines:
        print(line)
    if found.parts_missing:
        missing = f"{found.parts_missing} of {found.parts} parts are missing: ask again"
        print(missing, file=sys.stderr)


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


def _keep(client: Client, command: NodeCommand, path: Path, quiet: bool) -> None:
    waveform = client.get(f"/node-commands/{command.id}/waveform", Waveform)
    try:
        write_wav(path, waveform)
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from None
    lost = f", {waveform.parts_missing} of {waveform.parts} parts missing (silent in the file)"
    seconds = len(waveform.samples) / waveform.fs_hz
    words = f"{path}: {seconds:.1f} s at {waveform.fs_hz} Hz"
    print(words + (lost if waveform.parts_missing else ""), file=sys.stderr if quiet else None)


def write_wav(path: Path, waveform: Waveform) -> None:
    """16 bits, one channel. Raises OSError; then no file is there, or the earlier one."""
    raw = io.BytesIO()
    with wave.open(raw, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(waveform.fs_hz)
        file.writeframes(_frames(waveform.samples))
    write_atomic(path, raw.getvalue(), 0o644)


def _frames(samples: Sequence[int | None]) -> bytes:
    clipped = (max(-_FULL_SCALE, min(_FULL_SCALE, one or 0)) for one in samples)
    return b"".join(one.to_bytes(2, "little", signed=True) for one in clipped)
