# SPDX-License-Identifier: MIT
# remote: executes one command whose code is not kept loaded.

from micropython import const

from ugs.seldom import load
from ugs.wire import schema

_OK = schema.enum_value("result", "status", "ok")
_REFUSED = schema.enum_value("result", "status", "refused")
_UNSUPPORTED = schema.enum_value("result", "status", "unsupported")
_FAILED = schema.enum_value("result", "status", "failed")
_BUSY = const(5)
_FLASH = const(6)
_MEMORY = const(7)


def take(node, folder, command, now_ms):
    # (status, value, data) of the result; None if it follows later. Does not raise.
    name = schema.enum_name("command", "kind", command["kind"])
    try:
        if name == "configure":
            module = load(node.slots, name)
            status, value = module.take(node, load(node.slots, "settings"), folder, command)
            return status, value, node.settings.data if status == _OK else None
        kind = command["kind"]
        for job in node.jobs:
            if job.kind == kind:
                return _REFUSED, _BUSY, None
        job = load(node.slots, name).Job()
        job.kind = kind
        taken = job.take(node, command, now_ms)
        return None if taken is None else taken + (None,)
    except ImportError:
        return _UNSUPPORTED, None, None
    except OSError:
        return _FAILED, _FLASH, None
    except MemoryError:
        return _FAILED, _MEMORY, None
