# SPDX-License-Identifier: MIT
# update: SHA-512 (FIPS 180-4), which Ed25519 needs and MicroPython's hashlib lacks.

from micropython import const

_MASK = const(0xFFFFFFFFFFFFFFFF)
_BLOCK = const(128)


def _primes(count):
    found = []
    n = 2
    while len(found) < count:
        if all(n % p for p in found):
            found.append(n)
        n += 1
    return found


def _root(n, power):
    # The largest integer whose power does not exceed n.
    low, high = 0, 1 << 72
    while high - low > 1:
        middle = (low + high) >> 1
        if middle**power <= n:
            low = middle
        else:
            high = middle
    return low


def _rotate(x, n):
    return (x >> n | x << (64 - n)) & _MASK


def sha512_steps(data):
    # Yields None while it works, then the 64-byte digest.
    rounds, state = [], []
    # FIPS 180-4 4.2.3 and 5.3.5: the first 64 bits of the fractions of roots of primes. Computed
    # here: as literals they would stay on the heap of a node that verifies once a year.
    for number, prime in enumerate(_primes(80)):
        rounds.append(_root(prime << 192, 3) & _MASK)
        if number < 8:
            state.append(_root(prime << 128, 2) & _MASK)
        yield None
    size = len(data)
    padding = b"\x80" + bytes((111 - size) % _BLOCK) + (8 * size).to_bytes(16, "big")
    data = bytes(data) + padding
    for at in range(0, len(data), _BLOCK):
        state = _compress(state, data[at : at + _BLOCK], rounds)
        yield None
    yield b"".join([word.to_bytes(8, "big") for word in state])


def sha512(data):
    *_steps, digest = sha512_steps(data)
    return digest


def _compress(state, block, rounds):
    w = [int.from_bytes(block[8 * i : 8 * i + 8], "big") for i in range(16)]
    a, b, c, d, e, f, g, h = state
    for t in range(80):
        if t >= 16:
            x, y = w[(t + 1) & 15], w[(t + 14) & 15]
            s0 = _rotate(x, 1) ^ _rotate(x, 8) ^ x >> 7
            s1 = _rotate(y, 19) ^ _rotate(y, 61) ^ y >> 6
            w[t & 15] = (w[t & 15] + s0 + w[(t + 9) & 15] + s1) & _MASK
        s1 = _rotate(e, 14) ^ _rotate(e, 18) ^ _rotate(e, 41)
        t1 = h + s1 + (e & f ^ ~e & g & _MASK) + rounds[t] + w[t & 15]
        s0 = _rotate(a, 28) ^ _rotate(a, 34) ^ _rotate(a, 39)
        t2 = s0 + (a & b ^ a & c ^ b & c)
        h, g, f, e = g, f, e, (d + t1) & _MASK
        d, c, b, a = c, b, a, (t1 + t2) & _MASK
    return [(x + y) & _MASK for x, y in zip(state, (a, b, c, d, e, f, g, h))]
