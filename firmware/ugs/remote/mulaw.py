# SPDX-License-Identifier: MIT
# remote: one byte for a sample of 16 bits (ITU-T G.711, mu-law), accurate to 1 in 32.

from micropython import const

_BIAS = const(132)
_CLIP = const(32_635)


def mulaw(value):
    # A sample of 16 bits as an ITU-T G.711 code.
    sign = 0
    if value < 0:
        value = -value
        sign = 0x80
    value = min(value, _CLIP) + _BIAS
    exponent = 7
    while exponent and not value >> (exponent + 7):
        exponent -= 1
    return ~(sign | exponent << 4 | value >> (exponent + 3) & 0x0F) & 0xFF
