# SPDX-License-Identifier: MIT
"""Ed25519 as a node verifies it, under real MicroPython, against RFC 8032 and OpenSSL."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tests.on_node import FIRMWARE

SCRIPT = Path(__file__).parent / "on_node" / "verify.py"
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P

# RFC 8032 7.1: (public key, message, signature) of tests 1 to 3.
RFC_8032 = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9"
            "b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f1"
            "1d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984d"
            "c6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
]

Ask = Callable[[list[tuple[str, ...]]], list[str]]


@pytest.fixture
def node(micropython: Path) -> Ask:
    """Ask the node's code many questions in one run of the interpreter."""

    def ask(questions: list[tuple[str, ...]]) -> list[str]:
        text = "".join(" ".join(word or "-" for word in words) + "\n" for words in questions)
        done = subprocess.run(
            [micropython, "-X", "heapsize=512k", SCRIPT],
            input=text,
            env={**os.environ, "MICROPYPATH": f"{FIRMWARE}:.frozen"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    return ask


def openssl(key: bytes, message: bytes, signature: bytes) -> bool:
    """The verdict of an independent implementation."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def point(y: int, x_is_odd: int) -> tuple[int, int] | None:
    """The point with this y, by RFC 8032 5.1.3, worked out apart from the node's code."""
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    square = u * pow(v, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x * x % P != square:
        return None
    return (P - x if x & 1 != x_is_odd else x), y


def small_order_keys() -> list[bytes]:
    """Encodings of the eight points whose order divides 8, the unusual encodings included."""
    # y of the points of order 8: the square roots that halve the point (sqrt(-1), 0) of order 4.
    ys = {0, 1, P - 1}
    for y in _ys_of_order_8():
        ys |= {y, P - y}
    encodings = []
    for y in ys:
        for raised in (y, y + P):
            if raised < 2**255:
                encodings += [(raised | sign << 255).to_bytes(32, "little") for sign in (0, 1)]
    return encodings


def _ys_of_order_8() -> list[int]:
    # Doubling (x, y) of order 8 gives y' = 0, so y^2 + x^2 = 0 (RFC 8032 5.1: a = -1), and with the
    # curve's equation -x^2 + y^2 = 1 + d x^2 y^2: 2 y^2 = 1 - d y^4.
    roots = []
    root_of_discriminant = point_root((1 + D) % P)
    for sign in (1, -1):
        square = (-1 + sign * root_of_discriminant) * pow(D, P - 2, P) % P
        root = point_root(square)
        if root is not None:
            roots.append(root)
    return roots


def point_root(square: int) -> int | None:
    """A square root modulo P, or None."""
    root = pow(square, (P + 3) // 8, P)
    if root * root % P != square % P:
        root = root * pow(2, (P - 1) // 4, P) % P
    return root if root * root % P == square % P else None


def test_sha512_of_any_length_is_that_of_the_host(node: Ask):
    rng = random.Random(1)
    inputs = [rng.randbytes(size) for size in (0, 1, 55, 110, 111, 112, 127, 128, 129, 255, 1023)]
    answers = node([("sha512", data.hex()) for data in inputs])
    assert answers == [hashlib.sha512(data).hexdigest() for data in inputs]


def test_signatures_of_rfc_8032_are_good(node: Ask):
    assert node([("verify", *vector) for vector in RFC_8032]) == ["1"] * len(RFC_8032)


def test_signature_with_any_part_changed_is_bad(node: Ask):
    rng = random.Random(2)
    questions = []
    for key, message, signature in RFC_8032:
        for _ in range(12):
            parts = [bytearray.fromhex(text) for text in (key, message, signature)]
            part = parts[rng.choice([i for i in range(3) if parts[i]])]
            part[rng.randrange(len(part))] ^= 1 << rng.randrange(8)
            questions.append(("verify", *(bytes(part).hex() for part in parts)))
    assert node(questions) == ["0"] * len(questions)


def test_signatures_by_openssl_get_the_answer_openssl_gives(node: Ask):
    rng = random.Random(3)
    questions, expected = [], []
    for number in range(24):
        secret = Ed25519PrivateKey.from_private_bytes(rng.randbytes(32))
        message = rng.randbytes(rng.randrange(200))
        signature = bytearray(secret.sign(message))
        if number % 2:
            signature[rng.randrange(64)] ^= 1 << rng.randrange(8)
        key = secret.public_key().public_bytes_raw()
        questions.append(("verify", key.hex(), message.hex(), signature.hex()))
        expected.append(str(int(openssl(key, message, bytes(signature)))))
    assert set(expected) == {"0", "1"}
    assert node(questions) == expected


def test_signature_with_s_raised_by_the_group_order_is_bad(node: Ask):
    # The same equation holds: without the check of s, a second signature could be made of any.
    questions = []
    for key, message, signature in RFC_8032:
        r, s = signature[:64], int.from_bytes(bytes.fromhex(signature[64:]), "little")
        for times in (1, 2, 7):
            if s + times * L < 2**256:
                raised = (s + times * L).to_bytes(32, "little").hex()
                questions.append(("verify", key, message, r + raised))
    assert len(questions) > 6
    assert node(questions) == ["0"] * len(questions)


def test_keys_of_small_order_sign_nothing(node: Ask):
    # With such a key, R = any small-order point and s = 0 would pass for some or every message.
    keys = small_order_keys()
    assert len(keys) >= 14
    questions = [
        ("verify", key.hex(), message, r.hex() + "00" * 32)
        for key in keys
        for r in (keys[0], keys[2], keys[-1])
        for message in ("", "61")
    ]
    assert set(node(questions)) == {"0"}


def test_r_of_small_order_signs_nothing(node: Ask):
    # s = k a makes the equation hold for R = neutral: not even the owner of a should sign so.
    secret = hashlib.sha512(b"\x07" * 32).digest()
    a = int.from_bytes(secret[:32], "little") & ~7 & ~(1 << 255) | 1 << 254
    a &= (1 << 255) - 1
    key = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32).public_key().public_bytes_raw()
    r = (1).to_bytes(32, "little")
    k = int.from_bytes(hashlib.sha512(r + key + b"m").digest(), "little") % L
    signature = r + (k * a % L).to_bytes(32, "little")
    assert openssl(key, b"m", signature), "the vector is wrong: it has to satisfy the equation"
    assert node([("verify", key.hex(), b"m".hex(), signature.hex())]) == ["0"]


def test_encodings_that_are_no_point_are_bad_keys(node: Ask):
    no_points = [y for y in range(2, 40) if point(y, 0) is None]
    assert len(no_points) > 5
    keys = [y.to_bytes(32, "little").hex() for y in no_points]
    keys += [(P + 3).to_bytes(32, "little").hex(), ("ff" * 32)]
    questions = [("verify", key, "", RFC_8032[0][2]) for key in keys]
    questions += [("verify", RFC_8032[0][0][:-2], "", RFC_8032[0][2])]
    questions += [("verify", RFC_8032[0][0], "", RFC_8032[0][2][:-2])]
    assert node(questions) == ["0"] * len(questions)
