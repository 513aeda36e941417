# SPDX-License-Identifier: MIT
"""Board layer, CPython side: the `micropython` module for the node's files under CPython.

The decorators return the function as it is and the pointer types return their array, so the same
viper source runs as plain Python. A store outside 32 bits raises OverflowError there, where a
board would wrap silently. Viper's pointer types are no imports but known to its compiler, so they
become builtins here.
"""

import builtins
from collections.abc import Callable, MutableSequence
from typing import TypeVar

T = TypeVar("T")


def const(value: T) -> T:
    """Return `value`: the compiler of MicroPython folds it, CPython need not."""
    return value


def viper(function: T) -> T:
    """Return the function unchanged; arithmetic must stay within 31 bits to agree with boards."""
    return function


native = viper
bytecode = viper


def _pointer(array: MutableSequence[int]) -> MutableSequence[int]:
    return array


ptr8: Callable[[MutableSequence[int]], MutableSequence[int]] = _pointer
ptr16 = ptr8
ptr32 = ptr8

for _name in ("ptr8", "ptr16", "ptr32"):
    setattr(builtins, _name, _pointer)


def heap_lock() -> None:
    """Do nothing: CPython has no lockable heap."""


def heap_unlock() -> int:
    """Return the lock depth, always 0."""
    return 0


def alloc_emergency_exception_buf(size: int) -> None:
    """Do nothing: CPython allocates exceptions freely."""
