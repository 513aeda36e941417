# SPDX-License-Identifier: MIT
"""Record: asks the node on a USB cable to stream, at the prompt that all commands at a cable use.

The node restarts once for it. A file holds the duration, and the next start removes it. A person at
the prompt has the board anyway (docs/adr/0011-flashing.md), so no key is required.
"""

from __future__ import annotations

from tools.errors import UserError
from tools.flash.repl import BoardError, Repl

# The watchdog of a node that ran resets it 8 s after Ctrl-C: send little code, at once.
_WHO = """
import json
try:
 with open('node.json') as f:print(json.load(f)['node'])
except (OSError,ValueError,KeyError):print('')
"""
_REQUEST = """
f=open('state/stream','w')
f.write('{seconds}')
f.close()
"""
# The next start then knows that this end was no crash.
_RESET = """
try:slots.leave(slots.REBOOT,'record')
except Exception:pass
import machine
machine.reset()
"""


def ask_to_stream(port: str, node: str, seconds: int) -> None:
    """Restart the node on a port so that it streams. Raises UserError."""
    repl = Repl(port)
    try:
        repl.enter()
        found = repl.run(_WHO).decode("utf-8", "replace").strip()[:40]
        if found == node:
            _request(repl, port, seconds)
        repl.let_go(_RESET)
    finally:
        repl.close()
    if not found:
        raise UserError(f"the board on {port} is no node yet: groundwatch node flash makes it one")
    if found != node:
        raise UserError(f"the node on {port} is {ascii(found)[1:-1]}, not {node}")


def _request(repl: Repl, port: str, seconds: int) -> None:
    try:
        repl.run(_REQUEST.format(seconds=seconds))
    except BoardError as error:
        raise UserError(f"the node on {port} cannot be asked to stream: {error}") from None
