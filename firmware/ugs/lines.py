# SPDX-License-Identifier: MIT
# lines: the last lines of what a node prints about itself, for a command that asks for them
# (ugs.remote.log). They name no key and no passphrase: who finds a node can read its console.

from micropython import const

SIZE = const(512)
_LINE_MAX = const(120)
ring = bytearray(SIZE)
# How many bytes were ever written; the uptime in s, set by who knows it.
state = [0, 0]


def note(text):
    # Prints it as well.
    print(text)
    end = state[0]
    for letter in "%d %s\n" % (state[1], text[:_LINE_MAX]):
        ring[end % SIZE] = min(ord(letter), 0x7F)
        end += 1
    state[0] = end
