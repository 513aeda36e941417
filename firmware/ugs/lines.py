# SPDX-License-Identifier: MIT
# lines: the latest log lines of the node, for the log command (ugs.remote.log). They contain no key
# and no passphrase: anyone who finds a node can read its console.

from micropython import const

SIZE = const(512)
_LINE_MAX = const(120)
ring = bytearray(SIZE)
# Count of bytes ever written; the uptime in s, set by the node.
state = [0, 0]


def note(text):
    # Also prints it.
    print(text)
    end = state[0]
    for letter in "%d %s\n" % (state[1], text[:_LINE_MAX]):
        ring[end % SIZE] = min(ord(letter), 0x7F)
        end += 1
    state[0] = end
