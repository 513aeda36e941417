# SPDX-License-Identifier: MIT
"""Words of a command given to the parser that would read them, without doing anything."""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Sequence

import click

from tests.terminal import ROOT
from tools.commands import front, table
from tools.errors import UserError

_TARGET = re.compile(r"^([a-z][a-z-]*):", re.MULTILINE)
_REDIRECTION = re.compile(r"\d?>&\d|\d?>>? ?\S+|<< ?'?\w+'?")
_OPERATORS = frozenset("|&;<>()")
_PLACEHOLDERS = ("VERB", "FOLDER", "CLIPS", "...", "PATH", "NAME", "NOMBRE")


def problem(command: str, is_whole: bool = True) -> str:
    """Why a command line cannot be what a user types; empty when it can.

    `is_whole` is False for a command in running text: arguments may be left out there.
    """
    for words in simple_commands(command):
        found = _problem_of(words, is_whole)
        if found:
            return f"{command.splitlines()[0]!r}: {found}"
    return ""


def simple_commands(command: str) -> list[list[str]]:
    """The words of each simple command of a line, without the text of a here document.

    Command substitutions count as commands of their own.
    """
    first = command.splitlines()[0] if "<<" in command else command.replace("\\\n", " ")
    within = re.findall(r"\$\(([^()]*)\)", first)
    lexer = shlex.shlex(
        _REDIRECTION.sub(" ", re.sub(r"\$\([^()]*\)", "x", first)),
        posix=True,
        punctuation_chars=True,
    )
    lexer.commenters, lexer.whitespace_split = "#", True
    found: list[list[str]] = [[]]
    for word in lexer:
        if set(word) <= _OPERATORS:
            found.append([])
        else:
            found[-1].append(word)
    inner = [words for text in within for words in simple_commands(text)]
    return [words for words in found if words] + inner


def _problem_of(words: Sequence[str], is_whole: bool) -> str:
    words = list(words)
    while words and (words[0] in ("sudo", "until", "do", "while", "if", "then", "!", "exec")):
        words.pop(0)
    if not words:
        return ""
    program = words[0].rpartition("/")[2]
    if program == "groundwatch":
        return groundwatch_problem(words[1:], is_whole)
    if program == "make":
        return _make_problem(words[1:])
    if program == "pytest":
        return _paths_problem(words[1:])
    if program == "python" and words[1:2] == ["-m"]:
        is_found = importlib.util.find_spec(words[2]) is not None
        return "" if is_found else f"there is no module {words[2]}"
    return ""


def groundwatch_problem(words: Sequence[str], is_whole: bool = True) -> str:
    """What the real command line has against these words."""
    if not words or "VERB" in words:
        return ""
    try:
        if is_whole:
            _parsed(list(words))
            return ""
        return _loosely(list(words))
    except (click.UsageError, UserError) as error:
        return error.format_message() if isinstance(error, click.UsageError) else str(error)


def _parsed(words: list[str]) -> None:
    """Every parser on the way to the verb, and the verb's own; raises what they raise."""
    command: click.Command = front.groundwatch()
    context = None
    while True:
        try:
            context = command.make_context(command.name or front.NAME, words, context)
        except click.exceptions.Exit:
            return  # --help was printed
        if not isinstance(command, click.Group):
            break
        rest = [*context._protected_args, *context.args]
        name, inner, words = command.resolve_command(context, rest)
        assert inner is not None, name
        command = inner


def _loosely(words: list[str]) -> str:
    """The verb exists, and so do the options; arguments may be left out or be placeholders."""
    if any(word in words[:1] for word in _PLACEHOLDERS):
        return ""
    words = [*table.FORMER.get(words[0], words[0]).split(), *words[1:]]
    command: click.Command = front.groundwatch()
    context = click.Context(command, info_name=front.NAME)
    while isinstance(command, click.Group):
        if not words or words[0].startswith("-"):
            return "" if isinstance(command, front.Front) else "no verb"
        inner = command.get_command(context, words[0])
        if inner is None:
            _name, inner, words = command.resolve_command(context, command._with_verb(words))
        else:
            words = words[1:]
        assert inner is not None
        context = click.Context(inner, info_name=inner.name, parent=context)
        command = inner
    options = _options_of(command)
    given = [word.partition("=")[0] for word in words if re.match(r"--?[a-zA-Z]", word)]
    unknown = [word for word in given if word not in options]
    return f"no option {unknown[0]}" if unknown else ""


def _options_of(command: click.Command) -> set[str]:
    names = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
    return names | {"-h", "--help"}


def _make_problem(words: Sequence[str]) -> str:
    if "-C" in words:
        return ""  # of another project
    targets = set(_TARGET.findall((ROOT / "Makefile").read_text()))
    unknown = [one for one in words if "=" not in one and one not in targets]
    return f"make has no target {unknown[0]}" if unknown else ""


def _paths_problem(words: Sequence[str]) -> str:
    paths = [one for one in words if one.startswith("tests/")]
    missing = [one for one in paths if not (ROOT / one.partition("::")[0]).exists()]
    return f"there is no {missing[0]}" if missing else ""
