# SPDX-License-Identifier: MIT
"""wire vectors: sealed messages with one fault each, taken apart from a good one."""

from __future__ import annotations

import cbor2
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

HEAD = bytes.fromhex("8343a1010aa10644")  # up to the four bytes of the Partial IV
Vector = dict[str, str]


def refused(good: Vector) -> list[Vector]:
    """Variations of a message sealed in counter space 0 whose ciphertext has 24 to 255 bytes."""
    key, iv, aad = (bytes.fromhex(good[part]) for part in ("key", "iv", "aad"))
    whole = bytes.fromhex(good["sealed"])
    assert whole.startswith(HEAD)
    assert whole[12] == 0x58
    cases = _altered(whole) + _envelopes(whole) + _bodies(whole, key, iv, aad)
    common = {"key": key.hex(), "iv": iv.hex(), "aad": aad.hex()}
    out = [{"name": n, **common, "sealed": data.hex(), "reason": why} for n, data, why in cases]
    for name, part, value in (
        ("other_key", "key", bytes(16)),
        ("other_iv", "iv", bytes(13)),
        ("other_topic", "aad", b"groundwatch/v1/ford/n08/up"),
        ("down_topic_and_boot", "aad", b"groundwatch/v1/ford/n07/down\x00\x03"),
    ):
        changed = {**common, part: value.hex()}
        out.append({"name": name, **changed, "sealed": whole.hex(), "reason": "bad_tag"})
    return out


def _altered(whole: bytes) -> list[tuple[str, bytes, str]]:
    piv, body = whole[8:12], whole[14:]
    other_lane = HEAD[:7] + cbor2.dumps(b"\x01" + piv) + cbor2.dumps(body)
    return [
        ("tag_bit_flipped", whole[:-1] + bytes((whole[-1] ^ 1,)), "bad_tag"),
        ("first_bit_flipped", whole[:14] + bytes((whole[14] ^ 128,)) + whole[15:], "bad_tag"),
        ("partial_iv_changed", whole[:11] + bytes((whole[11] ^ 1,)) + whole[12:], "bad_tag"),
        ("partial_iv_of_the_other_lane", other_lane, "bad_tag"),
        ("ciphertext_cut", HEAD + piv + cbor2.dumps(body[:-1]), "bad_tag"),
        ("ciphertext_longer", HEAD + piv + cbor2.dumps(body + b"\x00"), "bad_tag"),
        ("too_long_by_one", whole + bytes(1537 - len(whole)), "too_big"),
    ]


def _envelopes(whole: bytes) -> list[tuple[str, bytes, str]]:
    piv, body = whole[8:12], cbor2.dumps(whole[14:])
    cases = [
        ("empty", b""),
        ("one_byte", b"\x83"),
        ("only_the_head", HEAD),
        ("cut_by_one", whole[:-1]),
        ("one_byte_after", whole + b"\x00"),
        ("tagged_16", b"\xd0" + whole),
        ("array_of_four", b"\x84" + whole[1:] + b"\x80"),
        ("indefinite_array", b"\x9f" + whole[1:] + b"\xff"),
        ("other_algorithm_aes_gcm", b"\x83\x43\xa1\x01\x01" + whole[5:]),
        ("protected_empty", b"\x83\x40" + whole[5:]),
        ("protected_not_deterministic", b"\x83\x44\xa1\x01\x18\x0a" + whole[5:]),
        ("iv_instead_of_partial_iv", whole[:6] + b"\x05" + whole[7:]),
        ("second_header", b"\x83\x43\xa1\x01\x0a\xa2\x04\x40" + whole[6:]),
        ("no_header", b"\x83\x43\xa1\x01\x0a\xa0" + body),
        ("partial_iv_empty", HEAD[:7] + b"\x40" + body),
        ("partial_iv_of_six_bytes", HEAD[:7] + b"\x46\x00\x00" + piv + body),
        ("partial_iv_is_text", HEAD[:7] + b"\x64" + whole[8:]),
        ("partial_iv_length_in_two_bytes", HEAD[:7] + b"\x58\x04" + whole[8:]),
    ]
    return [(name, data, "bad_envelope") for name, data in cases]


def _bodies(whole: bytes, key: bytes, iv: bytes, aad: bytes) -> list[tuple[str, bytes, str]]:
    start, body = whole[:12], whole[14:]
    nonce = (int.from_bytes(iv, "big") ^ int.from_bytes(start[8:], "big")).to_bytes(13, "big")
    structure = cbor2.dumps(["Encrypt0", bytes.fromhex("a1010a"), aad])
    short_tag = AESCCM(key, tag_length=4).encrypt(nonce, bytes(4), structure)
    bare_tag = AESCCM(key, tag_length=8).encrypt(nonce, b"", structure)
    cases = [
        ("tag_of_four_bytes", cbor2.dumps(short_tag)),
        ("empty_payload", cbor2.dumps(bare_tag)),
        ("ciphertext_is_null", b"\xf6"),
        ("ciphertext_is_text", b"\x78" + whole[13:]),
        ("ciphertext_indefinite", b"\x5f" + cbor2.dumps(body) + b"\xff"),
        ("ciphertext_length_in_three_bytes", b"\x59\x00" + whole[13:]),
        ("ciphertext_claims_2_to_the_64", b"\x5b" + b"\xff" * 8),
    ]
    return [(name, start + data, "bad_envelope") for name, data in cases]
