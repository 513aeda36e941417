# SPDX-License-Identifier: MIT
# update: verification of Ed25519 signatures (RFC 8032 5.1), on MicroPython's long integers. Strict:
# one signature has one encoding, and keys of small order are invalid.

from ugs.update.sha512 import sha512_steps

P = (1 << 255) - 19
L = (1 << 252) + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, P - 2, P) % P
_ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)
_BASE_Y = 4 * pow(5, P - 2, P) % P
# A point is (X, Y, Z, T): x = X / Z, y = Y / Z, x y = T / Z.
_NEUTRAL = (0, 1, 1, 0)


def verify_steps(key, message, signature):
    # Yields None while it works, about 340 times, then True or False, so that the caller can do
    # other work in between. key has 32 bytes, signature 64.
    s = int.from_bytes(signature[32:], "little")
    # RFC 8032 5.1.7: a larger s would permit a second signature derived from this one.
    a = _decode(key) if len(key) == 32 and len(signature) == 64 and s < L else None
    yield None
    if a is None or _is_small(a):
        yield False
        return
    r = bytes(signature[:32])
    digest = None
    for digest in sha512_steps(r + bytes(key) + message):
        if digest is None:
            yield None
    k = int.from_bytes(digest, "little") % L
    minus_a = (P - a[0], a[1], a[2], P - a[3])
    base = _decode(_BASE_Y.to_bytes(32, "little"))
    yield None
    both = _add(base, minus_a)
    point = _NEUTRAL
    # [s]B - [k]A, bit by bit (Straus); it must equal R, in R's one encoding.
    for bit in range(252, -1, -1):
        point = _add(point, point)
        which = (s >> bit & 1) | (k >> bit & 1) << 1
        if which:
            point = _add(point, (base, minus_a, both)[which - 1])
        yield None
    yield _encode(point) == r and not _is_small(point)


def verify(key, message, signature):
    # The same in one go.
    *_steps, answer = verify_steps(key, message, signature)
    return answer


def _add(p, q):
    # RFC 8032 5.1.4; complete, so it also doubles.
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * _D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _is_small(point):
    # Whether its order divides 8.
    for _ in range(3):
        point = _add(point, point)
    return point[0] == 0 and point[1] == point[2]


def _encode(point):
    z = pow(point[2], P - 2, P)
    x, y = point[0] * z % P, point[1] * z % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _decode(data):
    # RFC 8032 5.1.3; None for bytes that are not the one encoding of a point.
    y = int.from_bytes(data, "little")
    sign = y >> 255
    y &= (1 << 255) - 1
    if y >= P:
        return None
    u, v = (y * y - 1) % P, (_D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if (v * x * x - u) % P:
        if (v * x * x + u) % P:
            return None
        x = x * _ROOT_OF_MINUS_1 % P
    if x == 0 and sign:
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P
