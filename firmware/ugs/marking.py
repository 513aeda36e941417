# SPDX-License-Identifier: MIT
# marking: the order in which a garbage collection marks the objects on the heap.
#
# A collection keeps the blocks still to be marked on a stack of 64 (MICROPY_ALLOC_GC_STACK_SIZE,
# py/gc.c). About eighty modules in one table are too many: when the stack is full, the collection
# scans the whole heap once more, which doubles the time. It is therefore led to the modules one at
# a time before it reaches their table. It starts at the local names of the main program, and exec()
# has its own dict for these.

import sys

from micropython import const

# Modules with fewer names are reached from others.
_NAMES = const(7)
# Its tables of tuples take most of the stack, so nothing else may wait on the stack meanwhile.
_FIRST = "ugs.wire.schema"
# From this module all tasks are reached, and with them the node.
_LAST = "ugs.base"


def run(main, parts):
    # Runs main() with all loaded modules in order. `parts` are objects that lead to no task.
    # Objects that lead to few others come first: modules that do not import asyncio, no packages,
    # those with few names before the others. The last pair is followed first, and of each pair its
    # second half.
    names = [name for name in sys.modules if _is_apart(name)]
    names.sort(key=_size)
    chain = (None, sys.modules.get(_LAST))
    for part in parts:
        chain = (chain, part)
    for name in names[::-1] + [_FIRST]:
        chain = (chain, sys.modules.get(name))
    del names
    exec("main()", {"main": main}, {"order": chain})


def _names(name):
    return getattr(sys.modules[name], "__dict__", ())


def _size(name):
    return len(_names(name))


def _is_apart(name):
    names = _names(name)
    if len(names) < _NAMES or name == _FIRST or name.startswith("asyncio"):
        return False
    return "asyncio" not in names and "__path__" not in names and name != "ugs.node"
