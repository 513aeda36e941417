# SPDX-License-Identifier: MIT
"""Groups of verbs whose modules are imported only when they are run or completed."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import metadata
from typing import Any

import click
from click.shell_completion import CompletionItem

from tools.commands import table
from tools.commands.verb import Group, Verb

NAME = "groundwatch"
COMPLETE = "_GROUNDWATCH_COMPLETE"  # set by the script of `groundwatch completion`

_ABOUT = "An open unattended-ground-sensor system: nodes, gateway and simulator."
_EXAMPLES = (
    "groundwatch demo",
    "groundwatch node flash n07 --at 75,12.5 --sector gate",
    "groundwatch gateway run --config gateway.toml",
    "groundwatch alarm list --state unacknowledged",
)
_SETTINGS: dict[str, Any] = {
    "help_option_names": ["-h", "--help"],
    "max_content_width": 100,
    "show_default": True,
}


def version() -> str:
    """Return the installed distribution's version, or that it is a bare checkout."""
    try:
        return metadata.version("groundwatch")
    except metadata.PackageNotFoundError:
        return "0+checkout"


class Front(click.Group):
    """The verbs below one name of the table; "" is `groundwatch` itself."""

    def __init__(self, group: Group, examples: Sequence[str], params: Sequence[click.Option] = ()):
        """Nothing is imported for it."""
        super().__init__(
            group.name,
            params=list(params),
            help=_sentence(group.help),
            epilog=_epilog(examples),
            context_settings=_SETTINGS,
            no_args_is_help=False,
            subcommand_metavar="VERB [OPTIONS]",
        )
        self._group = group
        self._start = f"{group.name} ".lstrip()

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs and groups that the help shows, in the order of the table."""
        return [name for name, _help in self._shown()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The one of that name; its module is imported now."""
        full = f"{self._start}{cmd_name}"
        for group in table.GROUPS:
            if group.name == full:
                below = [verb.example for verb in table.VERBS if verb.name.startswith(f"{full} ")]
                return Front(group, below[:1])
        for verb in table.VERBS:
            if verb.name == full:
                return _command(verb)
        return None

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put in the verb that a command line of an earlier version leaves out."""
        if not ctx.resilient_parsing:
            args = self._with_verb(args)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click has it, with the name of the verb that is closest to an unknown one."""
        known = [name for name, _help in self._rows(hidden=True)]
        if args[0] not in known and not ctx.resilient_parsing:
            near = get_close_matches(args[0], known, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            ctx.fail(f"there is no verb {args[0][:40]!r}{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As click has it, from the table alone."""
        with formatter.section("Verbs"):
            formatter.write_dl(self._shown())

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """As click has it, from the table alone."""
        names = [
            CompletionItem(name, help=words)
            for name, words in self._shown()
            if name.startswith(incomplete)
        ]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]

    def _shown(self) -> list[tuple[str, str]]:
        return self._rows(hidden=False)

    def _rows(self, hidden: bool) -> list[tuple[str, str]]:
        """Name and help of each verb and group directly below, with those that help hides too."""
        rows = [(one.name, one.help) for one in table.VERBS if hidden or not one.hidden]
        rows += [(one.name, one.help) for one in table.GROUPS]
        below = [
            (name[len(self._start) :], words)
            for name, words in rows
            if name.startswith(self._start)
        ]
        return [(name, words) for name, words in below if " " not in name]

    def _with_verb(self, args: list[str]) -> list[str]:
        if not self._group.name:
            former = table.FORMER.get(args[0]) if args else None
            return [*former.split(), *args[1:]] if former else args
        if not self._group.assumed or (args and args[0] in _SETTINGS["help_option_names"]):
            return args
        if args and args[0] == "--list":  # of `sim`
            return ["list", *args[1:]]
        known = {name for name, _help in self._rows(hidden=True)}
        is_word = bool(args) and not args[0].startswith("-")
        if is_word and (args[0] in known or not self._group.names_something):
            return args
        return [self._group.assumed, *args]


def groundwatch() -> Front:
    """The whole command."""
    option = click.Option(
        ["--version"],
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=_print_version,
        help="show the version",
    )
    return Front(Group("", _ABOUT), _EXAMPLES, [option])


def _print_version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        print(f"groundwatch {version()}")
        ctx.exit()


def _command(verb: Verb) -> click.Command:
    module, _, attribute = verb.target.partition(":")
    command: click.Command = getattr(importlib.import_module(module), attribute)
    command.help, command.epilog = _sentence(verb.help), _epilog([verb.example])
    return command


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:].rstrip('.')}."


def _epilog(examples: Sequence[str]) -> str:
    """Not to be wrapped: click takes that from the backspace."""
    title = "Example:" if len(examples) == 1 else "Examples:"
    return "\n".join(["\b", title, *(f"  {one}" for one in examples)])
