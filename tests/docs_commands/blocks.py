# SPDX-License-Identifier: MIT
"""Code blocks of the documentation, and the command lines in them."""

from __future__ import annotations

import re
from typing import NamedTuple

from tests.terminal import ROOT

SHELL = ("sh", "bash", "console")
# Of other blocks. A block without a language is an error: no check would know what it is.
OTHER = ("text", "toml", "json", "python", "diff", "markdown")
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEREDOC = re.compile(r"<<'?(\w+)'?")
_INLINE = re.compile(r"`((?:groundwatch|make|python -m|\.venv/bin/pytest) [^`]+)`")


class Block(NamedTuple):
    """A fenced block; `line` is that of its fence."""

    page: str
    line: int
    language: str
    text: str

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[str]:
    """Pages whose commands are checked, as paths from the root of the repository."""
    top = ("README.md", "CONTRIBUTING.md", "SECURITY.md")
    below = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))
    return [*(name for name in top if (ROOT / name).exists()), *below]


def blocks_of(page: str, text: str) -> list[Block]:
    """All fenced blocks of a page, in order."""
    return [
        Block(page, text.count("\n", 0, match.start()) + 1, match[1], match[2])
        for match in _FENCE.finditer(text)
    ]


def all_blocks() -> list[Block]:
    """All fenced blocks of all pages."""
    return [one for page in pages() for one in blocks_of(page, (ROOT / page).read_text())]


def commands(block: Block) -> list[str]:
    """What a person types at the prompt, one command each: with its continued lines and its here
    document."""
    found: list[str] = []
    end, is_open = "", False
    for line in block.text.splitlines():
        if block.language == "console":
            if not line.startswith("$ "):
                continue
            line = line[2:]
        if is_open:
            found[-1] += f"\n{line}"
        elif line.strip() and not line.startswith("#"):
            found.append(line)
        if end:
            is_open = line != end
            end = end if is_open else ""
        elif match := _HEREDOC.search(line):
            end, is_open = match[1], True
        else:
            is_open = line.endswith("\\")
    return found


def inline(text: str) -> list[str]:
    """Commands in the running text of a page."""
    return [" ".join(one.split()) for one in _INLINE.findall(_FENCE.sub("", text))]
