# SPDX-License-Identifier: MIT
"""Short names in compiled firmware: a Pico W keeps each different name on its heap permanently.

Of a name MicroPython stores the letters and 7 bytes, in tables that double when they are full.
Private names, and parameters that no call names, are visible only in their own file. They are
renamed in place before compilation, so a traceback still shows the right line of the source.
Each group of files whose classes inherit from each other uses the same few names.
"""

from __future__ import annotations

import ast
import builtins
import symtable
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from string import ascii_letters

from tools.errors import UserError

_Place = tuple[int, int]  # line from 1, byte in it from 0
# Names that have a meaning for MicroPython's compiler or for callers.
_KEPT = {"_", "self"}


def shorten(sources: Mapping[str, bytes]) -> dict[str, bytes]:
    """The same sources with short names, all files of one image by their paths.

    Raises UserError for a file that is no Python.
    """
    trees = {name: parse(name, source) for name, source in sources.items()}
    kept = call_words(trees.values())
    out = {}
    for group in _groups(trees):
        private = _private_names({name: trees[name] for name in group})
        for name in group:
            renamer = _Renamer(sources[name], trees[name])
            renamer.rename_private(private)
            renamer.rename_parameters(kept)
            out[name] = renamer.result()
    return out


def parse(name: str, source: bytes) -> ast.Module:
    """The tree of a source. Raises UserError."""
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 0
        raise UserError(f"{name}, line {line}: SyntaxError: {error.args[0]}") from None


def call_words(trees: Iterable[ast.Module]) -> set[str]:
    """Names of keyword arguments in calls, and string constants."""
    words: set[str] = set()
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.keyword) and node.arg is not None:
            words.add(node.arg)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            words.add(node.value)
    return words


def _groups(trees: Mapping[str, ast.Module]) -> list[list[str]]:
    """Files whose classes inherit from each other see the same private names."""
    owner = {name: name for name in trees}

    def top(name: str) -> str:
        return name if owner[name] == name else top(owner[name])

    for name, tree in trees.items():
        bases = {
            base.id
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef)
            for base in node.bases
            if isinstance(base, ast.Name)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and bases & {alias.name for alias in node.names}:
                path = (node.module or "").replace(".", "/") + ".py"
                if path in trees:
                    owner[top(name)] = top(path)
    found: dict[str, list[str]] = {}
    for name in sorted(trees):
        found.setdefault(top(name), []).append(name)
    return list(found.values())


def _private_names(trees: Mapping[str, ast.Module]) -> dict[str, str]:
    """A short name for each private one that these files make; the most used get the shortest."""
    used: Counter[str] = Counter()
    made: set[str] = set()
    for tree in trees.values():
        for node in ast.walk(tree):
            for word, is_made in _words(node):
                used[word] += 1
                if is_made:
                    made.add(word)
    private = [word for word, _ in used.most_common() if word in made and _is_private(word)]
    fresh = (word for word in _short_names() if word not in used or word in made)
    return dict(zip(private, fresh, strict=False))


def _words(node: ast.AST) -> Iterator[tuple[str, bool]]:
    """Names of a node that a private name may be, and whether this node makes it."""
    if isinstance(node, ast.Name):
        yield node.id, isinstance(node.ctx, ast.Store)
    elif isinstance(node, ast.Attribute):
        yield node.attr, isinstance(node.ctx, ast.Store)
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name, True
    elif isinstance(node, ast.Global | ast.Nonlocal):
        for name in node.names:
            yield name, False


def _is_private(word: str) -> bool:
    return word.startswith("_") and not word.startswith("__") and word not in _KEPT


def _short_names() -> Iterator[str]:
    """_a, _b, ... _Z, _aa, ...; all private: mpy-cross leaves private constants out."""
    for size in count(1):
        words = [""]
        for _ in range(size):
            words = [word + letter for word in words for letter in ascii_letters]
        for word in words:
            yield "_" + word


class _Renamer:
    """Collects what to write where in one source."""

    def __init__(self, source: bytes, tree: ast.Module) -> None:
        self._lines = source.splitlines(keepends=True)
        self._tree = tree
        self._table = symtable.symtable(source.decode(), "", "exec")
        self._at: dict[_Place, tuple[str, str]] = {}

    def result(self) -> bytes:
        lines = list(self._lines)
        for (line, column), (old, new) in sorted(self._at.items(), reverse=True):
            text = lines[line - 1]
            assert text[column:].startswith(old.encode()), (text, column, old)
            lines[line - 1] = text[:column] + new.encode() + text[column + len(old) :]
        return b"".join(lines)

    def rename_private(self, names: Mapping[str, str]) -> None:
        for node in ast.walk(self._tree):
            for word, _is_made in _words(node):
                if word in names:
                    self._rename(node, word, names[word])

    def rename_parameters(self, called: set[str]) -> None:
        """Of each outermost function, with those inside it."""
        for function, scope in _functions(self._tree, self._table):
            kept = called | _foreign(scope) | _bound(function) | _KEPT
            there = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
            fresh = (word for number in count() if (word := f"p{number}") not in there)
            spellings: dict[str, str] = {}
            for node in ast.walk(function):
                if isinstance(node, ast.arg) and node.arg not in kept | spellings.keys():
                    spellings[node.arg] = next(fresh)
            for node in ast.walk(function):
                if isinstance(node, ast.arg) and node.arg in spellings:
                    self._note(node.lineno, node.col_offset, node.arg, spellings[node.arg])
                elif isinstance(node, ast.Name) and node.id in spellings:
                    self._note(node.lineno, node.col_offset, node.id, spellings[node.id])

    def _rename(self, node: ast.AST, old: str, new: str) -> None:
        if isinstance(node, ast.Attribute):
            assert node.end_lineno is not None and node.end_col_offset is not None
            self._note(node.end_lineno, node.end_col_offset - len(old), old, new)
        elif isinstance(node, ast.Name):
            self._note(node.lineno, node.col_offset, old, new)
        elif isinstance(node, ast.stmt):
            self._find(node.lineno, node.col_offset, old, new)

    def _find(self, line: int, column: int, old: str, new: str) -> None:
        """The whole word on the line behind a place."""
        text, at = self._lines[line - 1], column
        while True:
            at = text.index(old.encode(), at)
            around = text[at - 1 : at] + text[at + len(old) : at + len(old) + 1]
            if not any(chr(byte).isidentifier() or chr(byte).isdigit() for byte in around):
                return self._note(line, at, old, new)
            at += 1

    def _note(self, line: int, column: int, old: str, new: str) -> None:
        self._at[line, column] = (old, new)


def _functions(
    tree: ast.AST, table: symtable.SymbolTable
) -> Iterator[tuple[ast.AST, symtable.SymbolTable]]:
    """Outermost functions of a module and of its classes, each with its table of symbols."""
    scopes = iter(table.get_children())
    for node in _in_order(tree, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        scope = next(one for one in scopes if one.get_name() == node.name)
        if isinstance(node, ast.ClassDef):
            yield from _functions(node, scope)
        else:
            yield node, scope


def _in_order(tree: ast.AST, kinds: tuple[type, ...]) -> Iterator[ast.AST]:
    """Nodes of these kinds below a node, as written, without looking into them."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, kinds):
            yield node
        else:
            yield from _in_order(node, kinds)


def _bound(function: ast.AST) -> set[str]:
    """Names that a function gets otherwise than by an argument or a plain assignment."""
    names: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.ExceptHandler) and node.name:
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Global | ast.Nonlocal):
            names |= set(node.names)
    return names


def _foreign(scope: symtable.SymbolTable) -> set[str]:
    """Names that are, somewhere in a function, not its own: of the module, or built in."""
    names = {symbol.get_name() for symbol in scope.get_symbols() if symbol.is_global()}
    for child in scope.get_children():
        names |= _foreign(child)
    return names | set(dir(builtins))
