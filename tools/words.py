# SPDX-License-Identifier: MIT
"""Word check: the project's vocabulary, in prose and in identifiers.

tools/words.toml lists the words that are not used and what to use instead. Any use fails.

`python -m tools.words [PATH ...]` shows every use, in the whole repository or below the paths.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta, Struct

from tools.errors import UserError

ROOT = Path(__file__).resolve().parent.parent
WORDS = "tools/words.toml"
# These name the words on purpose.
SKIPPED = (WORDS, "docs/renames.md", "tests/tools/test_words.py")
SUFFIXES = (".py", ".pyi", ".md", ".html", ".js", ".css", ".toml", ".in", ".c", ".h")
NAMES = ("Makefile", "run")
MAX_ALLOWED = 20
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORD = re.compile(r"[a-z]+")
_GAP = r"[\s_#*-]+"  # between the parts of a phrase, also where a comment goes on in the next line

_Text = Annotated[str, Meta(min_length=1, max_length=200)]


class Word(Struct, frozen=True, forbid_unknown_fields=True):
    """[[word]]: its forms, and what to use instead. A form with capitals is matched exactly."""

    name: _Text
    forms: Annotated[tuple[_Text, ...], Meta(min_length=1)]
    use: _Text


class Allowed(Struct, frozen=True, forbid_unknown_fields=True):
    """[[allow]]: a name that stays, and why."""

    text: _Text
    reason: _Text


class WordList(Struct, frozen=True, forbid_unknown_fields=True):
    """words.toml."""

    word: tuple[Word, ...]
    allow: Annotated[tuple[Allowed, ...], Meta(max_length=MAX_ALLOWED)] = ()


class Use(NamedTuple):
    """One use of a word."""

    path: str
    line: int
    found: str
    word: Word

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.found!r}: use {self.word.use}"


class Vocabulary:
    """The word list, ready to search with."""

    def __init__(self, listed: WordList) -> None:
        self._exact = {f: word for word in listed.word for f in word.forms if f != f.lower()}
        self._by_first: dict[str, list[tuple[re.Pattern[str], Word]]] = defaultdict(list)
        for word in listed.word:
            for form in word.forms:
                if form not in self._exact:
                    parts = form.split()
                    rest = re.compile(_GAP.join(map(re.escape, parts)) + r"(?![a-z])")
                    self._by_first[parts[0]].append((rest, word))
        exact = "|".join(map(re.escape, self._exact))
        self._capitals = re.compile(rf"(?:{exact})(?![A-Za-z])" if exact else r"(?!)")
        names = "|".join(re.escape(one.text) for one in listed.allow)
        self._allowed = re.compile(rf"(?<!\w)(?:{names})(?!\w)") if names else None

    def uses(self, path: str, text: str) -> list[Use]:
        """Every use in one file, in order."""
        if self._allowed is not None:
            text = self._allowed.sub("0", text)
        text = _HUMP.sub("_", text)
        lower = text.lower()
        found = [(match, self._exact[match[0]]) for match in self._capitals.finditer(text)]
        for first in _WORD.finditer(lower):
            for pattern, word in self._by_first.get(first[0], ()):
                if match := pattern.match(lower, first.start()):
                    found.append((match, word))
                    break
        return [
            Use(
                path,
                text.count("\n", 0, match.start()) + 1,
                " ".join(re.split(_GAP, match[0])) if match[0].islower() else match[0],
                word,
            )
            for match, word in sorted(found, key=lambda one: one[0].start())
        ]


def checked_files(root: Path) -> list[str]:
    """Files of the repository that people read, tracked or about to be. Raises UserError."""
    command = ["git", "ls-files", "-co", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise UserError(f"git cannot list the files of {root}: {error}") from None
    return sorted(
        path
        for path in set(listed.stdout.splitlines())
        if path not in SKIPPED
        and (path.endswith(SUFFIXES) or Path(path).name in NAMES)
        and (root / path).is_file()
    )


def uses_below(root: Path, paths: Iterable[str]) -> list[Use]:
    """Every use in these files, and in their names as line 0. Raises UserError."""
    vocabulary = Vocabulary(_read(root / WORDS))
    found: list[Use] = []
    for path in paths:
        found += (use._replace(line=0) for use in vocabulary.uses(path, path))
        found += vocabulary.uses(path, (root / path).read_text(encoding="utf-8"))
    return found


def _read(path: Path) -> WordList:
    try:
        return msgspec.toml.decode(path.read_bytes(), type=WordList)
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: {error}") from None


def _below(files: Iterable[str], paths: Sequence[str]) -> list[str]:
    wanted = tuple(path.rstrip("/") for path in paths)
    return [
        file
        for file in files
        if not wanted or any(file == one or file.startswith(f"{one}/") for one in wanted)
    ]


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """0 without any use, 1 with one, 2 when a file is invalid."""
    parser = argparse.ArgumentParser(prog="python -m tools.words", description=__doc__)
    parser.add_argument("paths", nargs="*", metavar="PATH", help="only files below these")
    paths = parser.parse_args(arguments).paths
    try:
        found = uses_below(root, _below(checked_files(root), paths))
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    for use in found:
        print(use, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
