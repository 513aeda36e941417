# SPDX-License-Identifier: MIT
"""Names that MicroPython has built in, in place of the firmware's own public ones.

Each name that MicroPython does not know takes 6 bytes of heap and its letters, and so do the tables
that double (tools/shorten.py). A name that no other file of the firmware shares with MicroPython
or with the files beside the tree may as well be spelled like a built-in one that occurs nowhere:
`quality_ms` as `dhcp`. Every occurrence in all files of an image is changed, so the program is the
same. A traceback shows the right module and line, and another word for the function.

What stays as it is written: names that MicroPython has anyway (an attribute of one of its objects
is such a name), texts, names that a call gives an argument by, modules, errors, since the log says
what they are called, and whatever the files beside the tree mention.
"""

from __future__ import annotations

import ast
import builtins
import io
import keyword
import re
import tokenize
from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from tools.builtin_names import borrowable_names, builtin_names
from tools.shorten import parse, words_said

_WORD = re.compile(r"[A-Za-z_]\w*")
# What MicroPython may ask an object for, or means something to its compiler.
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


def borrow(sources: Mapping[str, bytes], beside: Iterable[bytes] = ()) -> dict[str, bytes]:
    """The same sources, all Python files of an image by their paths, with built-in names.

    `beside` are the files that import them. Raises UserError for a file that is no Python.
    """
    names = borrowed(sources, beside)
    return {name: _renamed(source, names) for name, source in sources.items()}


def borrowed(sources: Mapping[str, bytes], beside: Iterable[bytes] = ()) -> dict[str, str]:
    """Which name stands for which; the most used get the shortest."""
    trees = [parse(name, source) for name, source in sources.items()]
    used = Counter(word for source in sources.values() for word in _names(source))
    kept = words_said(trees) | {word for name in sources for word in _WORD.findall(name)}
    kept |= {word for source in beside for word in _WORD.findall(source.decode())}
    kept |= {word for tree in trees for word in _formatted(tree)}
    kept |= {*dir(builtins), *keyword.kwlist, *keyword.softkwlist, *_MEANT}
    made = {word for tree in trees for word in _made(tree)}
    own = made - kept - {*builtin_names()}
    own = {word for word in own if not word.startswith("_") and not word.endswith("Error")}
    texts = {word for text in kept for word in _WORD.findall(text)}
    taken = kept | texts | used.keys()
    free = [word for word in borrowable_names() if word not in taken and not word.startswith("_")]
    free.sort(key=lambda word: (len(word), word))
    most_used = sorted(own, key=lambda word: (-used[word], word))
    return dict(zip(most_used, free, strict=False))


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


def _renamed(source: bytes, names: Mapping[str, str]) -> bytes:
    lines = source.decode().splitlines(keepends=True)
    for token in reversed(list(_tokens(source))):
        if token.type == tokenize.NAME and token.string in names:
            line, at = token.start
            text = lines[line - 1]
            lines[line - 1] = text[:at] + names[token.string] + text[at + len(token.string) :]
    return "".join(lines).encode()
