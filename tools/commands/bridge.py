# SPDX-License-Identifier: MIT
"""Commands: a click command in front of a module that declares an argparse parser."""

from __future__ import annotations

import argparse
import importlib
from typing import NoReturn, Protocol

import click

from tools.commands.verb import Verb
from tools.errors import UserError


class VerbModule(Protocol):
    """What a module of this kind offers."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the verb's options."""

    def run(self, args: argparse.Namespace) -> int:
        """Do the work and return the exit status."""


class Parser(argparse.ArgumentParser):
    """argparse whose errors are one line, like every other user error of this command."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the usage and leaving."""
        raise UserError(f"{message} (see `{self.prog} --help`)")


def bridged(verb: Verb) -> click.Command:
    """All words go to the module's own parser, its `--help` as well."""

    def run(words: tuple[str, ...]) -> int:
        module: VerbModule = importlib.import_module(verb.target)
        parser = Parser(
            prog=f"groundwatch {verb.name}",
            description=f"{verb.help[0].upper()}{verb.help[1:]}.",
            epilog=f"example:\n  {verb.example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(parser)
        try:
            args = parser.parse_args([*verb.words, *words])
        except SystemExit as left:  # --help has been printed
            return int(left.code or 0)
        return module.run(args)

    return click.Command(
        verb.name.split()[-1],
        callback=run,
        params=[click.Argument(["words"], nargs=-1, type=click.UNPROCESSED)],
        add_help_option=False,
        context_settings={"ignore_unknown_options": True},
    )
