# SPDX-License-Identifier: MIT
# marking: in which order a collection follows what lies on the heap.
#
# It keeps what it has yet to follow on a stack of 64 (MICROPY_ALLOC_GC_STACK_SIZE, py/gc.c). Some
# eighty modules in one table are too many, and when the stack is full it goes over everything once
# more: twice the time. So it is led to the modules one at a time before it comes to their table. It
# begins at the local names of the main program, and exec() has a dict of its own for these.

import sys

from micropython import const

# Modules with fewer names are found from others soon enough.
_NAMES = const(7)
# Its tables of tuples take most of the stack, so nothing else may wait there meanwhile.
_FIRST = "ugs.wire.schema"
# From here on all tasks are found, and with them the node.
_LAST = "ugs.base"


def run(main, parts):
    # main(), with all modules loaded by now in order; `parts` are objects that lead to no task.
    # First what leads to few others: modules that import no asyncio, no packages, those with few
    # names before the others. The last pair is followed first, and of each its second half.
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
