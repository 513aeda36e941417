# SPDX-License-Identifier: MIT
"""Mutants of a module: one change of an operator, a number or a condition each, by cosmic-ray.

Left out: changes inside an annotation, which nothing evaluates, and operators that only swap one
error for another (`Is` for `Eq` on small numbers, a bit operator for an arithmetic one).
"""

from __future__ import annotations

import ast
import difflib
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

_PREFIX = "core/"
_PLAIN = (
    "AddNot",
    "NumberReplacer",
    "ReplaceAndWithOr",
    "ReplaceBreakWithContinue",
    "ReplaceContinueWithBreak",
    "ReplaceFalseWithTrue",
    "ReplaceOrWithAnd",
    "ReplaceTrueWithFalse",
    "ReplaceUnaryOperator_Delete_Not",
    "ReplaceUnaryOperator_Delete_USub",
    "ZeroIterationForLoop",
)
_ARITHMETIC = {"Add", "Sub", "Mul", "FloorDiv", "Mod"}
_BITS = {"BitAnd", "BitOr", "BitXor", "LShift", "RShift"}
_ORDER = {"Lt", "LtE", "Gt", "GtE", "Eq", "NotEq"}
_IDENTITY = {"Is", "IsNot"}


class Mutant(NamedTuple):
    """One change: of which file, by which operator, at which of the places it fits."""

    path: str
    operator: str
    occurrence: int
    line: int

    def code(self, source: str) -> str | None:
        """The changed source, None where the operator changes nothing."""
        changed: str | None = mutate_code(source, get_operator(self.operator)(), self.occurrence)
        return None if changed == source else changed


def difference(source: str, changed: str) -> tuple[str, str]:
    """The lines before and after, without what is common."""
    before, after = [], []
    for line in difflib.unified_diff(source.splitlines(), changed.splitlines(), n=0, lineterm=""):
        if line.startswith("-") and not line.startswith("---"):
            before.append(line[1:].strip())
        elif line.startswith("+") and not line.startswith("+++"):
            after.append(line[1:].strip())
    return " ".join(before), " ".join(after)


def sample(root: Path, paths: Sequence[str], count: int, chance: random.Random) -> list[Mutant]:
    """Up to `count` mutants of these modules: a place at random, then one of its changes."""
    places: dict[tuple[str, int, int], list[Mutant]] = {}
    for path in paths:
        for column, mutant in _all(root, path):
            places.setdefault((path, mutant.line, column), []).append(mutant)
    keys = sorted(places)
    chosen = chance.sample(keys, min(count, len(keys)))
    return [chance.choice(places[key]) for key in chosen]


def _all(root: Path, path: str) -> Iterator[tuple[int, Mutant]]:
    source = (root / path).read_text()
    skipped = _annotations(source)
    tree = get_ast(source)
    for name in sorted(operator_names()):
        if not _is_used(name):
            continue
        operator, occurrence = get_operator(name)(), 0
        for node in ast_nodes(tree):
            for (line, column), _end in operator.mutation_positions(node):
                if not any(low <= (line, column) < high for low, high in skipped):
                    yield column, Mutant(path, name, occurrence, line)
                occurrence += 1


def _is_used(name: str) -> bool:
    short = name.removeprefix(_PREFIX)
    if short in _PLAIN:
        return True
    kind, _, pair = short.partition("Operator_")
    before, _, after = pair.partition("_")
    if kind == "ReplaceComparison":
        return any(before in group and after in group for group in (_ORDER, _IDENTITY))
    if kind == "ReplaceBinary":
        return any(before in group and after in group for group in (_ARITHMETIC, _BITS))
    return False


def _annotations(source: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    found: list[ast.expr] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.AnnAssign | ast.arg) and node.annotation is not None:
            found.append(node.annotation)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns is not None:
            found.append(node.returns)
    return [
        ((one.lineno, one.col_offset), (one.end_lineno or one.lineno, one.end_col_offset or 0))
        for one in found
    ]
