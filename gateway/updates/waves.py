# SPDX-License-Identifier: MIT
"""Updates: which nodes go first, from a few words on the command line."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gateway.errors import ConfigError

DEFAULT = ("1", "25%", "rest")


def waves_of(words: Sequence[str], nodes: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Each word is one wave: a number of nodes, a share of all ("25%"), names ("n01,n07"), "rest".

    Numbers and shares take from `nodes` in order what no wave has named. Raises ConfigError.
    """
    named = [name for word in words for name in word.split(",") if _is_names(word)]
    for name in named:
        if name not in nodes:
            raise ConfigError(f"no node {name}; there are {', '.join(nodes)}")
    if len(set(named)) != len(named):
        raise ConfigError("a node is named in two waves")
    free = [node for node in nodes if node not in named]
    waves = []
    for word in words:
        if _is_names(word):
            wave, count = tuple(word.split(",")), 0
        else:
            count = _count(word, len(nodes), len(free))
            wave = tuple(free[:count])
        free = free[count:]
        if wave:
            waves.append(wave)
    if not waves:
        raise ConfigError("no wave has a node in it")
    return tuple(waves)


def _is_names(word: str) -> bool:
    return word != "rest" and not re.fullmatch(r"\d{1,5}%?", word)


def _count(word: str, all_nodes: int, free: int) -> int:
    if word == "rest":
        return free
    if word.endswith("%"):
        share = int(word[:-1])
        if share > 100:
            raise ConfigError(f"a wave of {word} is more than all")
        return min(free, -(-all_nodes * share // 100))
    return min(free, int(word))
