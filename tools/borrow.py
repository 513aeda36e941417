# SPDX-License-Identifier: MIT
"""Names that MicroPython has built in, in place of the firmware's own public ones.

Each name that MicroPython does not know takes 6 bytes of heap and its letters, and so do the tables
that double (tools/shorten.py). A name that the firmware shares neither with MicroPython nor with
the files beside the image can be spelled like a built-in name that occurs nowhere: `quality_ms` as
`dhcp`. Every occurrence in all files of an image is changed, so the program is the same. A
traceback shows the right module and line, and the borrowed name of the function.

These names stay: those that MicroPython has anyway (attributes of its objects), texts, names of
keyword arguments, modules, errors (the log shows their names), and names in files beside the image.
"""

from __future__ import annotations

import ast
import builtins
import io
import keyword
import re
import tokenize
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from zlib import crc32

from tools.builtin_names import borrowable_names, builtin_names
from tools.shorten import call_words, parse

_LETTERS = 8  # longer ones make an image larger
_WORD = re.compile(r"[A-Za-z_]\w*")
# Of the simulator's gateway, which opens messages with the node's own code (simgateway.py).
_SIMULATED = (
    *("Keys", "Ratchet", "down_aad", "down_iv", "down_key", "epoch", "gap", "mqtt_password"),
    *("next_key", "open_sealed", "publish", "up_iv", "up_key"),
)
# Methods that MicroPython calls on an object, and names that its compiler uses.
_MEANT = frozenset(
    (
        *("accept", "append", "args", "asm_thumb", "chdir", "close", "coro", "data", "done"),
        *("errno", "fileno", "flush", "getcwd", "ilistdir", "index", "ioctl", "items", "keys"),
        *("makefile", "mkdir", "mount", "native", "next", "open", "pop", "ptr", "ptr8", "ptr16"),
        *("ptr32", "read", "readblocks", "readinto", "readline", "readlines", "recv"),
        *("recv_into", "register", "remove", "rename", "rmdir", "seek", "send", "sort", "stat"),
        *("state", "statvfs", "strerror", "tell", "throw", "uint", "umount", "update", "value"),
        *("values", "viper", "write", "writeblocks"),
    )
)


def rename(sources: Mapping[str, bytes], names: Mapping[str, str]) -> dict[str, bytes]:
    """The same sources with other names, Python files by their paths."""
    pairs = tuple(names.items())
    return {name: _renamed(source, pairs) for name, source in sources.items()}


def borrowed(sources: Mapping[str, bytes], beside: Iterable[bytes] = ()) -> dict[str, str]:
    """Which built-in name stands for which, in all Python files of an image by their paths.

    `beside` are files that import them. Most names get the same one in the next release: files
    that did not change are not sent again. Raises UserError for a file that is no Python.
    """
    return dict(_borrowed(tuple(sources.items()), tuple(beside)))


@lru_cache(maxsize=8)
def _borrowed(sources: tuple[tuple[str, bytes], ...], beside: tuple[bytes, ...]) -> dict[str, str]:
    trees = [parse(name, source) for name, source in sources]
    used = {word for _name, source in sources for word in _names(source)}
    kept = call_words(trees) | {word for name, _source in sources for word in _WORD.findall(name)}
    kept |= {word for source in beside for word in _WORD.findall(source.decode())}
    kept |= {word for tree in trees for word in _formatted(tree)}
    kept |= {*dir(builtins), *keyword.kwlist, *keyword.softkwlist, *_MEANT, *_SIMULATED}
    made = {word for tree in trees for word in _made(tree)}
    own = made - kept - {*builtin_names()}
    own = {word for word in own if not word.startswith("_") and not word.endswith("Error")}
    texts = {word for text in kept for word in _WORD.findall(text)}
    taken = kept | texts | used
    places = [word for word in borrowable_names() if word[0] != "_" and word not in taken]
    places = [word for word in places if len(word) <= _LETTERS]
    names: dict[str, str] = {}
    for word in sorted(own):
        if places:
            # Rendezvous hashing: a new name usually changes two others, not all after it.
            names[word] = min(places, key=lambda place: crc32(f"{word} {place}".encode()))
            places.remove(names[word])
    return names


def _made(tree: ast.Module) -> set[str]:
    """Names that a file gives to functions, classes, attributes and what its modules hold."""
    words: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            words.add(node.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            words.add(node.attr)
        if isinstance(node, ast.Module | ast.ClassDef):
            words |= _stored(node.body)
    return words


def _formatted(tree: ast.Module) -> set[str]:
    """Names in formatted texts, which the tokens of a source do not show."""
    texts = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    nodes = [node for text in texts for node in ast.walk(text)]
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    return names | {node.attr for node in nodes if isinstance(node, ast.Attribute)}


def _stored(body: Collection[ast.stmt]) -> set[str]:
    """What the statements of a module or a class assign to, those of its functions left out."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {
        node.id
        for statement in body
        if not isinstance(statement, functions)
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


def _names(source: bytes) -> Iterable[str]:
    return (token.string for token in _tokens(source) if token.type == tokenize.NAME)


def _tokens(source: bytes) -> Iterable[tokenize.TokenInfo]:
    return tokenize.tokenize(io.BytesIO(source).readline)


@lru_cache(maxsize=512)
def _renamed(source: bytes, pairs: tuple[tuple[str, str], ...]) -> bytes:
    names = dict(pairs)
    lines = source.decode().splitlines(keepends=True)
    for token in reversed(list(_tokens(source))):
        if token.type == tokenize.NAME and token.string in names:
            line, at = token.start
            text = lines[line - 1]
            lines[line - 1] = text[:at] + names[token.string] + text[at + len(token.string) :]
    return "".join(lines).encode()
