# SPDX-License-Identifier: MIT
"""Word check: the project's vocabulary, in prose and in identifiers.

tools/words.toml lists the words that are not used and what to use instead. Old text still has some:
tools/words_left.toml has the allowed count of each folder. A count that rises fails, and so
does one that fell without being recorded, so that the numbers only go down.

`python -m tools.words` checks, `--write` records counts that fell, `--list PATH ...` shows every
use below the paths.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple, TypeVar

import msgspec
from msgspec import Meta, Struct

from tools.errors import UserError

ROOT = Path(__file__).resolve().parent.parent
WORDS, LEFT = "tools/words.toml", "tools/words_left.toml"
# These name the words on purpose.
SKIPPED = (WORDS, LEFT, "docs/renames.md", "tests/tools/test_words.py")
SUFFIXES = (".py", ".pyi", ".md", ".html", ".js", ".css", ".toml", ".in", ".c", ".h")
NAMES = ("Makefile", "run")
MAX_SHOWN = 20  # uses of one word in one folder
MAX_ALLOWED = 20
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORD = re.compile(r"[a-z]+")
_GAP = r"[\s_#*-]+"  # between the parts of a phrase, also where a comment goes on in the next line

_T = TypeVar("_T")
_Text = Annotated[str, Meta(min_length=1, max_length=200)]
Counts = Mapping[str, Mapping[str, int]]


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


def folder_of(path: str) -> str:
    """The folder a file is counted under: two levels, or `.` at the top."""
    return "/".join(path.split("/")[:-1][:2]) or "."


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
    """Every use in these files. Raises UserError."""
    vocabulary = Vocabulary(_read(root / WORDS, WordList))
    found: list[Use] = []
    for path in paths:
        found += vocabulary.uses(path, (root / path).read_text(encoding="utf-8"))
    return found


def counted(uses: Iterable[Use]) -> dict[str, Counter[str]]:
    """Uses by folder and word."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for use in uses:
        counts[folder_of(use.path)][use.word.name] += 1
    return dict(counts)


def problems(uses: Sequence[Use], left: Counts) -> list[str]:
    """One line each; a count that rose comes with the uses it is made of."""
    found = []
    now = counted(uses)
    for folder, name in _pairs(now, left):
        count, allowed = _count(now, folder, name), _count(left, folder, name)
        if count > allowed:
            own = [str(u) for u in uses if folder_of(u.path) == folder and u.word.name == name]
            found += own[:MAX_SHOWN]
            found.append(f"{folder}: {name!r} is used {count} times, {allowed} are allowed")
        elif count < allowed:
            found.append(
                f"{folder}: {name!r} is used {count} times, {LEFT} still allows {allowed}: "
                "run `python -m tools.words --write`"
            )
    return found


def lowered(uses: Sequence[Use], left: Counts) -> dict[str, dict[str, int]]:
    """The allowed counts, each as low as the use is now; none rises."""
    now = counted(uses)
    kept: dict[str, dict[str, int]] = {}
    for folder, name in _pairs(now, left):
        count = min(_count(now, folder, name), _count(left, folder, name))
        if count:
            kept.setdefault(folder, {})[name] = count
    return kept


def left_text(counts: Counts) -> str:
    """The content of words_left.toml."""
    lines = [
        "# SPDX-License-Identifier: MIT",
        "# Written by `python -m tools.words --write`: uses that are left, by folder and word.",
    ]
    for folder in sorted(counts):
        lines += ["", f'["{folder}"]']
        lines += [f'"{name}" = {count}' for name, count in sorted(counts[folder].items())]
    return "\n".join([*lines, ""])


def _pairs(now: Counts, left: Counts) -> list[tuple[str, str]]:
    both = (now, left)
    return sorted({(folder, name) for one in both for folder in one for name in one[folder]})


def _count(counts: Counts, folder: str, name: str) -> int:
    return counts.get(folder, {}).get(name, 0)


def _read(path: Path, kind: type[_T]) -> _T:
    try:
        return msgspec.toml.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: {error}") from None


def _read_left(root: Path) -> Counts:
    return _read(root / LEFT, dict[str, dict[str, Annotated[int, Meta(ge=1)]]])


def _write(root: Path) -> list[str]:
    # The first time, all that is there is allowed.
    uses = uses_below(root, checked_files(root))
    left = _read_left(root) if (root / LEFT).exists() else counted(uses)
    kept = lowered(uses, left)
    (root / LEFT).write_text(left_text(kept), encoding="utf-8")
    return problems(uses, kept)


def _list(root: Path, paths: Sequence[str]) -> None:
    wanted = tuple(path.rstrip("/") for path in paths)
    files = [
        path
        for path in checked_files(root)
        if any(path == one or path.startswith(f"{one}/") for one in wanted)
    ]
    for use in uses_below(root, files):
        print(use)


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """0 when the check passes, 1 when it fails, 2 when a file is invalid."""
    parser = argparse.ArgumentParser(prog="python -m tools.words", description=__doc__)
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--write", action="store_true", help=f"record lower counts in {LEFT}")
    action.add_argument("--list", nargs="+", metavar="PATH", help="show every use below the paths")
    given = parser.parse_args(arguments)
    try:
        if given.list:
            _list(root, given.list)
            return 0
        if given.write:
            found = _write(root)
        else:
            found = problems(uses_below(root, checked_files(root)), _read_left(root))
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
