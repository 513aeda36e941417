# SPDX-License-Identifier: MIT
# seldom: loads code of ugs.remote for one use, because heap is scarce. Objects the caller keeps
# stay.

import gc
import sys


def load(slots, name):
    # The module ugs.remote.NAME. Raises OSError, ImportError or MemoryError.
    name = "ugs.remote." + name
    gc.collect()
    try:
        return __import__(name, None, None, ("x",))
    except ImportError:
        pass  # neither frozen nor loaded at start: it is in the image of this boot
    slots.mount()
    try:
        return __import__(name, None, None, ("x",))
    finally:
        slots.umount()


def forget():
    for name in list(sys.modules):
        if name.startswith("ugs.remote"):
            del sys.modules[name]
    package = sys.modules["ugs"]
    if hasattr(package, "remote"):
        del package.remote
    gc.collect()
