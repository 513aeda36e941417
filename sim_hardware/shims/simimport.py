# SPDX-License-Identifier: MIT
# Board, simulated: the cost of an import, by the size of its files. Modules that are built in or
# frozen on the port (asyncio, and those that the shims replace) cost nothing.

import builtins
import sys

import simcharge
import simmemory
import uos

_plain_import = __import__
_SHIMS = __file__.rsplit("/", 1)[0] + "/"
_charged = {}


def install():
    for name in sys.modules:
        _charged[name] = True
    builtins.__import__ = _import


def _import(name, scope=None, local=None, names=None, level=0):
    if level:
        # The port finds the package in the globals of its caller, which are now these here. Only
        # asyncio, which has no folders, imports so.
        name, level = "asyncio." + name if name else "asyncio", 0
    count = len(sys.modules)
    module = _plain_import(name, scope, local, names, level)
    if len(sys.modules) != count:
        _settle()
    return module


def _settle():
    for name in list(sys.modules):
        if name in _charged:
            continue
        _charged[name] = True
        path = getattr(sys.modules[name], "__file__", None)
        if path is None or any(path.startswith(own) for own in (".frozen", _SHIMS)):
            continue
        try:
            size = uos.stat(path)[6]
        except OSError:
            continue
        is_source = path.endswith(".py")
        simmemory.note_import(is_source)
        simcharge.imported(size, is_source)
        if name == "ugs.update.ed25519":
            _slow_down(sys.modules[name])


def _slow_down(module):
    # Code of the node takes no time here; the one part that takes seconds on a board does.
    plain_steps = module.verify_steps

    def verify_steps(key, message, signature):
        for answer in plain_steps(key, message, signature):
            simcharge.verify_step()
            yield answer

    module.verify_steps = verify_steps
