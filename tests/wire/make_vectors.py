# SPDX-License-Identifier: MIT
"""Write tests/wire/vectors/*.json without any project code.

The keys of the fields are written out here a second time, by hand, from docs/wire.md; payloads come
from cbor2, keys from cryptography, sealed messages from pycose. So an error of ours in the table,
encoder or the envelope cannot also be in the vectors. The files published_*.json are not made
here: their figures are those of the documents they name. Run: python tests/wire/make_vectors.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cbor2
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand
from pycose.algorithms import AESCCM1664128
from pycose.headers import Algorithm, PartialIV
from pycose.keys import SymmetricKey
from pycose.messages import Enc0Message

FOLDER = Path(__file__).with_name("vectors")
U16, U32, U53 = 0xFFFF, 0xFFFFFFFF, 0x1FFFFFFFFFFFFF
Fields = dict[str, tuple[int, Any]]

# (name of the vector, message, message id, fields as name: (key, value))
MESSAGES: list[tuple[str, str, int, Fields]] = [
    (
        "hello_of_a_fresh_node",
        "hello",
        1,
        {
            "t_ms": (1, 1834),
            "fw": (2, "0.1.0"),
            "board": (3, "pico_w"),
            "schema": (4, 1),
            "reset_cause": (5, 0),
            "fs_hz": (6, 250),
            "heap_free": (7, 101_232),
        },
    ),
    (
        "hello_at_its_largest",
        "hello",
        1,
        {
            "t_ms": (1, U32),
            "fw": (2, "~" * 16),
            "board": (3, " " * 16),
            "schema": (4, 255),
            "reset_cause": (5, 5),
            "fs_hz": (6, U16),
            "heap_free": (7, U32),
            "oldest_seq": (8, U16),
        },
    ),
    (
        "detection_onset",
        "detection",
        2,
        {
            "t_ms": (1, 65_536),
            "phase": (2, 1),
            "class": (3, 1),
            "confidence_pct": (4, 24),
            "peak_um_s_x100": (5, 256),
            "cadence_hz_x20": (6, 0),
            "pir_count": (7, 0),
        },
    ),
    (
        "detection_at_its_largest",
        "detection",
        2,
        {
            "t_ms": (1, U32),
            "phase": (2, 3),
            "class": (3, 5),
            "confidence_pct": (4, 100),
            "peak_um_s_x100": (5, U16),
            "cadence_hz_x20": (6, 255),
            "pir_count": (7, 23),
            "elapsed_s_x10": (8, U16),
        },
    ),
    (
        "detection_at_its_smallest",
        "detection",
        2,
        {
            "t_ms": (1, 0),
            "phase": (2, 1),
            "class": (3, 0),
            "confidence_pct": (4, 0),
            "peak_um_s_x100": (5, 0),
            "cadence_hz_x20": (6, 0),
            "pir_count": (7, 0),
        },
    ),
    (
        "health_at_its_largest",
        "health",
        3,
        {
            "t_ms": (1, U32),
            "battery_mv": (2, U16),
            "rssi_dbm": (3, -128),
            "floor_um_s_x100": (4, U16),
            "samples_missed": (5, U16),
            "ledger_pending": (6, U16),
        },
    ),
    (
        "health_with_short_numbers",
        "health",
        3,
        {
            "t_ms": (1, 23),
            "battery_mv": (2, 24),
            "rssi_dbm": (3, -24),
            "floor_um_s_x100": (4, 255),
            "samples_missed": (5, 256),
            "ledger_pending": (6, 0),
        },
    ),
    (
        "condition_tamper",
        "condition",
        4,
        {"t_ms": (1, 90_000), "kind": (2, 1), "active": (3, 1)},
    ),
    (
        "condition_records_dropped",
        "condition",
        4,
        {
            "t_ms": (1, U32),
            "kind": (2, 6),
            "active": (3, 1),
            "value": (4, U32),
            "boot": (5, U16),
        },
    ),
    (
        "snippet_of_three_samples",
        "snippet",
        5,
        {
            "t_ms": (1, 1000),
            "command_id": (2, 7),
            "fs_hz": (3, 250),
            "index": (4, 0),
            "total": (5, 1),
            "encoding": (6, 1),
            "data": (7, bytes((0, 127, 255))),
        },
    ),
    (
        "snippet_at_its_largest",
        "snippet",
        5,
        {
            "t_ms": (1, U32),
            "command_id": (2, U32),
            "fs_hz": (3, U16),
            "index": (4, U16),
            "total": (5, U16),
            "encoding": (6, 1),
            "data": (7, bytes(i & 255 for i in range(1024))),
        },
    ),
    (
        "result_refused",
        "result",
        6,
        {"t_ms": (1, 2000), "command_id": (2, 0x10000), "status": (3, 1), "value": (4, 0)},
    ),
    ("receipt_of_one_boot", "receipt", 16, {"upto": (1, [1, 0])}),
    (
        "receipt_of_eight_boots",
        "receipt",
        16,
        {"upto": (1, [n for boot in range(65_528, 65_536) for n in (boot, U16)])},
    ),
    ("time_now", "time", 17, {"utc_ms": (1, 1_795_410_000_000), "echo_ms": (2, 5_040_000)}),
    ("time_at_its_largest", "time", 17, {"utc_ms": (1, U53), "echo_ms": (2, U32)}),
    ("command_ping", "command", 18, {"id": (1, 1), "kind": (2, 1)}),
    (
        "command_with_everything",
        "command",
        18,
        {
            "id": (1, U32),
            "kind": (2, 4),
            "expires_ms": (3, U32),
            "value": (4, U32),
            "data": (5, b""),
        },
    ),
]

ONSET = dict(MESSAGES[2][3])


def payload_of(number: int, fields: Fields) -> bytes:
    """Key 0 and the fields, by cbor2."""
    return cbor2.dumps({0: number, **dict(fields.values())}, canonical=True)


def changed(fields: Fields, **values: Any) -> bytes:
    """A detection with some values replaced, whatever they are."""
    replaced = {name: (key, values.get(name, value)) for name, (key, value) in fields.items()}
    return payload_of(2, replaced)


def refused() -> list[tuple[str, bytes, str]]:
    """(name, payload, reason): each has one fault."""
    tamper = payload_of(4, MESSAGES[7][3])  # a4 00 04 01 1a00015f90 02 01 03 01
    without_phase = {name: pair for name, pair in ONSET.items() if name != "phase"}
    too_large = payload_of(5, {**MESSAGES[10][3], "data": (7, bytes(1025))})
    long_text = payload_of(1, {**MESSAGES[0][3], "fw": (2, "v" * 17)})
    no_text = payload_of(1, {**MESSAGES[0][3], "fw": (2, "")})
    accents = payload_of(1, {**MESSAGES[0][3], "fw": (2, "v\u00fc")})
    newline = payload_of(1, {**MESSAGES[0][3], "fw": (2, "v\n")})
    return [
        ("empty", b"", "not_cbor"),
        ("cut_in_a_number", tamper[:7], "not_cbor"),
        ("cut_after_a_key", tamper[:-1], "not_cbor"),
        ("cut_in_a_string", payload_of(5, MESSAGES[9][3])[:-1], "not_cbor"),
        ("only_a_map_head", b"\xa4", "not_cbor"),
        ("map_claims_2_to_the_64_entries", b"\xbb" + b"\xff" * 8, "not_cbor"),
        ("string_claims_2_to_the_32_bytes", bytes.fromhex("a100 5b0000000100000000"), "not_cbor"),
        ("array_claims_65536_items", bytes.fromhex("a2001001 9a00010000"), "not_cbor"),
        ("reserved_information_28", bytes.fromhex("a1001c"), "not_cbor"),
        ("indefinite_number", bytes.fromhex("a1001f"), "not_cbor"),
        ("break_alone", b"\xff", "not_cbor"),
        ("one_byte_after", tamper + b"\x00", "trailing"),
        ("twice_the_message", tamper + tamper, "trailing"),
        ("indefinite_map", bytes.fromhex("bf0004011a00015f9002010301ff"), "not_deterministic"),
        ("indefinite_bytes", bytes.fromhex("a100 5f4101ff"), "not_deterministic"),
        ("indefinite_text", bytes.fromhex("a100 7f6161ff"), "not_deterministic"),
        ("indefinite_array", bytes.fromhex("a2001001 9f0102ff"), "not_deterministic"),
        ("id_in_two_bytes", bytes.fromhex("a4001804011a00015f9002010301"), "not_deterministic"),
        (
            "number_in_nine_bytes",
            bytes.fromhex("a40004011b0000000000015f9002010301"),
            "not_deterministic",
        ),
        ("number_in_three_bytes", bytes.fromhex("a40004011900ff02010301"), "not_deterministic"),
        ("number_in_five_bytes", bytes.fromhex("a40004011a0000ffff02010301"), "not_deterministic"),
        ("key_in_two_bytes", bytes.fromhex("a4000418011a00015f9002010301"), "not_deterministic"),
        (
            "map_count_in_two_bytes",
            bytes.fromhex("b8040004011a00015f9002010301"),
            "not_deterministic",
        ),
        ("string_length_in_two_bytes", bytes.fromhex("a2001201580100"), "not_deterministic"),
        ("key_twice", bytes.fromhex("a500040100010102010301"), "not_deterministic"),
        ("keys_unsorted", bytes.fromhex("a40004020101000301"), "not_deterministic"),
        ("id_not_first", bytes.fromhex("a40100000402010301"), "not_deterministic"),
        ("tag_on_the_map", b"\xd9\xd9\xf7" + tamper, "unsupported"),
        ("tag_on_a_number", bytes.fromhex("a4000401c10002010301"), "unsupported"),
        ("bignum", bytes.fromhex("a4000401c2410102010301"), "unsupported"),
        ("shared_references", bytes.fromhex("d81c81d81d00"), "unsupported"),
        ("float_16", changed(ONSET, confidence_pct=0.5), "unsupported"),
        ("float_64", changed(ONSET, confidence_pct=0.1), "unsupported"),
        ("null", changed(ONSET, confidence_pct=None), "unsupported"),
        ("true", changed(ONSET, phase=True), "unsupported"),
        ("simple_255", bytes.fromhex("a100f8ff"), "unsupported"),
        ("text_key", cbor2.dumps({0: 4, "1": 0}), "unsupported"),
        ("negative_key", bytes.fromhex("a2000420 00"), "unsupported"),
        ("text_with_an_accent", accents, "unsupported"),
        ("text_with_a_newline", newline, "unsupported"),
        ("text_that_is_not_utf8", bytes.fromhex("a2000102 62c328"), "unsupported"),
        ("text_with_a_surrogate", bytes.fromhex("a2000102 63eda080"), "unsupported"),
        ("array_in_an_array", bytes.fromhex("a2001001 818101"), "too_deep"),
        ("map_in_an_array", bytes.fromhex("a2001001 81a10101"), "too_deep"),
        ("200_nested_arrays", b"\x81" * 200 + b"\x00", "too_deep"),
        ("a_number", b"\x04", "unknown_message"),
        ("an_array", bytes.fromhex("820401"), "unknown_message"),
        ("empty_map", b"\xa0", "unknown_message"),
        ("no_id", bytes.fromhex("a101 00"), "unknown_message"),
        ("id_0", bytes.fromhex("a10000"), "unknown_message"),
        ("id_7_of_nothing", bytes.fromhex("a10007"), "unknown_message"),
        ("id_of_more_than_64_bits", bytes.fromhex("a1003bffffffffffffffff"), "unknown_message"),
        ("id_that_is_text", bytes.fromhex("a1006132"), "unknown_message"),
        ("id_that_is_an_array", bytes.fromhex("a1008102"), "unknown_message"),
        ("id_that_is_a_map", bytes.fromhex("a100a10002"), "unknown_message"),
        ("required_field_absent", payload_of(2, without_phase), "missing_field"),
        ("all_fields_absent", bytes.fromhex("a10002"), "missing_field"),
        ("key_of_no_field", payload_of(4, {**MESSAGES[7][3], "x": (9, 0)}), "bad_field"),
        ("key_of_64_bits", payload_of(4, {**MESSAGES[7][3], "x": (2**64 - 1, 0)}), "bad_field"),
        ("phase_0", changed(ONSET, phase=0), "bad_field"),
        ("phase_4", changed(ONSET, phase=4), "bad_field"),
        ("class_6", changed(ONSET, **{"class": 6}), "bad_field"),
        ("confidence_101", changed(ONSET, confidence_pct=101), "bad_field"),
        ("pir_count_24", changed(ONSET, pir_count=24), "bad_field"),
        ("t_ms_of_33_bits", changed(ONSET, t_ms=1 << 32), "bad_field"),
        ("t_ms_of_64_bits", changed(ONSET, t_ms=2**64 - 1), "bad_field"),
        ("t_ms_negative", changed(ONSET, t_ms=-1), "bad_field"),
        ("t_ms_is_bytes", changed(ONSET, t_ms=b"\x00"), "bad_field"),
        ("t_ms_is_text", changed(ONSET, t_ms="0"), "bad_field"),
        ("t_ms_is_an_array", changed(ONSET, t_ms=[0]), "bad_field"),
        ("rssi_positive", payload_of(3, {**MESSAGES[5][3], "rssi_dbm": (3, 1)}), "bad_field"),
        ("rssi_below", payload_of(3, {**MESSAGES[5][3], "rssi_dbm": (3, -129)}), "bad_field"),
        ("active_2", payload_of(4, {**MESSAGES[7][3], "active": (3, 2)}), "bad_field"),
        ("fw_too_long", long_text, "bad_field"),
        ("fw_empty", no_text, "bad_field"),
        ("fw_is_bytes", payload_of(1, {**MESSAGES[0][3], "fw": (2, b"1")}), "bad_field"),
        ("data_too_long", too_large, "bad_field"),
        ("upto_empty", payload_of(16, {"upto": (1, [])}), "bad_field"),
        ("upto_odd", payload_of(16, {"upto": (1, [1, 2, 3])}), "bad_field"),
        ("upto_of_nine_boots", payload_of(16, {"upto": (1, [1] * 18)}), "bad_field"),
        ("upto_of_17_bits", payload_of(16, {"upto": (1, [1, 65_536])}), "bad_field"),
        ("upto_negative", payload_of(16, {"upto": (1, [1, -1])}), "bad_field"),
        ("upto_of_text", payload_of(16, {"upto": (1, ["1", "2"])}), "bad_field"),
        ("upto_a_number", payload_of(16, {"upto": (1, 1)}), "bad_field"),
        ("upto_a_map", payload_of(16, {"upto": (1, {1: 2})}), "bad_field"),
        (
            "utc_of_54_bits",
            payload_of(17, {"utc_ms": (1, 1 << 53), "echo_ms": (2, 0)}),
            "bad_field",
        ),
        ("too_long_by_one", bytes(1513), "too_big"),
        ("as_long_as_may_be", b"\x00" * 1512, "trailing"),
    ]


def expand(key: bytes, label: str, length: int) -> bytes:
    """HKDF-Expand with a label of this project."""
    info = f"groundwatch/v1 {label}".encode()
    return HKDFExpand(algorithm=SHA256(), length=length, info=info).derive(key)


def keys() -> list[dict[str, Any]]:
    """Key schedules of some nodes."""
    out = []
    for root, site, node, generation in (
        (bytes(range(32)), "ford", "n07", 1),
        (bytes(range(32)), "ford", "n07", 2),
        (bytes(range(32)), "ford", "n08", 1),
        (bytes(32), "a", "b", 65_535),
        (b"\xff" * 32, "abcdefghij-_0123", "zyxwvutsrq-_9876", 10),
    ):
        info = f"groundwatch/v1/{site}/{node}/{generation}".encode()
        node_key = HKDF(algorithm=SHA256(), length=32, salt=b"", info=info).derive(root)
        out.append(
            {
                "fleet_root": root.hex(),
                "site": site,
                "node": node,
                "generation": generation,
                "node_key": node_key.hex(),
                "up_key": expand(node_key, "up key", 16).hex(),
                "up_iv": expand(node_key, "up iv", 13).hex(),
                "down_key": expand(node_key, "down key", 16).hex(),
                "down_iv": expand(node_key, "down iv", 13).hex(),
                "mqtt_password": expand(node_key, "mqtt password", 16).hex(),
            }
        )
    return out


def cose(key: bytes, iv: bytes, piv: bytes, payload: bytes, aad: bytes) -> bytes:
    """An untagged COSE_Encrypt0 by pycose."""
    message = Enc0Message(
        phdr={Algorithm: AESCCM1664128},
        uhdr={PartialIV: piv},
        payload=payload,
        external_aad=aad,
        key=SymmetricKey(key, optional_params={"ALG": AESCCM1664128, "BASE_IV": iv}),
    )
    return bytes(message.encode(tag=False))


def sealed() -> list[dict[str, Any]]:
    """Every message vector, sealed in each lane or direction it may take."""
    node = keys()[0]
    out = []
    for position, (name, _, number, fields) in enumerate(MESSAGES):
        payload = payload_of(number, fields)
        boot, seq = 3 + position, 258 * position + 1
        if number < 16:
            side, aad = "up", b"groundwatch/v1/ford/n07/up"
            counters = boot.to_bytes(2, "big") + seq.to_bytes(2, "big")
            pivs = [counters, b"\x01" + counters]
        else:
            side, aad = "down", b"groundwatch/v1/ford/n07/down" + boot.to_bytes(2, "big")
            count = 1 << (3 * (position - 11))
            pivs = [count.to_bytes((count.bit_length() + 7) // 8, "big")]
        key, iv = bytes.fromhex(node[f"{side}_key"]), bytes.fromhex(node[f"{side}_iv"])
        for piv in pivs:
            out.append(
                {
                    "name": f"{name}_{len(piv)}",
                    "key": key.hex(),
                    "iv": iv.hex(),
                    "piv": piv.hex(),
                    "aad": aad.hex(),
                    "payload": payload.hex(),
                    "sealed": cose(key, iv, piv, payload, aad).hex(),
                }
            )
    return out


def sealed_refused() -> list[dict[str, str]]:
    """Sealed messages with one fault each."""
    good = next(vector for vector in sealed() if vector["name"] == "detection_onset_4")
    key, iv, aad = (bytes.fromhex(good[part]) for part in ("key", "iv", "aad"))
    whole = bytes.fromhex(good["sealed"])
    piv, body = whole[8:12], whole[14:]
    head = bytes.fromhex("8343a1010aa10644")
    nonce = (int.from_bytes(iv, "big") ^ int.from_bytes(piv, "big")).to_bytes(13, "big")
    structure = cbor2.dumps(["Encrypt0", bytes.fromhex("a1010a"), aad])

    def item(data: bytes) -> bytes:
        return cbor2.dumps(data)

    def with_piv(other: bytes) -> bytes:
        return head[:7] + item(other) + item(body)

    short_tag = AESCCM(key, tag_length=4).encrypt(nonce, bytes(4), structure)
    bare_tag = AESCCM(key, tag_length=8).encrypt(nonce, b"", structure)
    cases = [
        ("tag_bit_flipped", whole[:-1] + bytes((whole[-1] ^ 1,)), "bad_tag"),
        ("first_bit_flipped", whole[:14] + bytes((whole[14] ^ 128,)) + whole[15:], "bad_tag"),
        ("partial_iv_changed", whole[:11] + bytes((whole[11] ^ 1,)) + whole[12:], "bad_tag"),
        ("partial_iv_of_the_other_lane", with_piv(b"\x01" + piv), "bad_tag"),
        ("ciphertext_cut", head + piv + item(body[:-1]), "bad_tag"),
        ("ciphertext_longer", head + piv + item(body + b"\x00"), "bad_tag"),
        ("tag_of_four_bytes", head + piv + item(short_tag), "bad_envelope"),
        ("empty_payload", head + piv + item(bare_tag), "bad_envelope"),
        ("empty", b"", "bad_envelope"),
        ("one_byte", b"\x83", "bad_envelope"),
        ("only_the_head", head, "bad_envelope"),
        ("cut_by_one", whole[:-1], "bad_envelope"),
        ("one_byte_after", whole + b"\x00", "bad_envelope"),
        ("tagged_16", b"\xd0" + whole, "bad_envelope"),
        ("array_of_four", b"\x84" + whole[1:] + b"\x80", "bad_envelope"),
        ("indefinite_array", b"\x9f" + whole[1:] + b"\xff", "bad_envelope"),
        (
            "other_algorithm_aes_gcm",
            whole.replace(b"\xa1\x01\x0a", b"\xa1\x01\x01"),
            "bad_envelope",
        ),
        ("protected_empty", b"\x83\x40" + whole[5:], "bad_envelope"),
        ("protected_not_deterministic", b"\x83\x44\xa1\x01\x18\x0a" + whole[5:], "bad_envelope"),
        ("iv_instead_of_partial_iv", whole[:6] + b"\x05" + whole[7:], "bad_envelope"),
        ("second_header", b"\x83\x43\xa1\x01\x0a\xa2\x04\x40" + whole[6:], "bad_envelope"),
        ("no_header", b"\x83\x43\xa1\x01\x0a\xa0" + item(body), "bad_envelope"),
        ("partial_iv_empty", with_piv(b""), "bad_envelope"),
        ("partial_iv_of_six_bytes", with_piv(bytes(2) + piv), "bad_envelope"),
        ("partial_iv_is_text", head[:7] + b"\x64" + whole[8:], "bad_envelope"),
        ("partial_iv_length_in_two_bytes", head[:7] + b"\x58\x04" + whole[8:], "bad_envelope"),
        ("ciphertext_is_null", head + piv + b"\xf6", "bad_envelope"),
        ("ciphertext_is_text", head + piv + b"\x78" + whole[13:], "bad_envelope"),
        ("ciphertext_indefinite", head + piv + b"\x5f" + item(body) + b"\xff", "bad_envelope"),
        (
            "ciphertext_length_in_three_bytes",
            head + piv + b"\x59\x00" + whole[13:],
            "bad_envelope",
        ),
        ("ciphertext_claims_2_to_the_64", head + piv + b"\x5b" + b"\xff" * 8, "bad_envelope"),
        ("too_long_by_one", whole + bytes(1537 - len(whole)), "too_big"),
    ]
    common = {"key": key.hex(), "iv": iv.hex(), "aad": aad.hex()}
    out = [{"name": n, **common, "sealed": data.hex(), "reason": why} for n, data, why in cases]
    for name, part, value in (
        ("other_key", "key", bytes(16).hex()),
        ("other_iv", "iv", bytes(13).hex()),
        ("other_topic", "aad", b"groundwatch/v1/ford/n08/up".hex()),
        ("down_topic_and_boot", "aad", (b"groundwatch/v1/ford/n07/down" + b"\x00\x03").hex()),
    ):
        out.append(
            {"name": name, **common, "sealed": whole.hex(), "reason": "bad_tag", part: value}
        )
    return out


def jsonable(value: Any) -> Any:
    """Bytes as hex digits; the type of the field says which they are."""
    return value.hex() if isinstance(value, bytes) else value


def write(name: str, content: object) -> None:
    """One vector per line, so that a change is one line of a diff."""
    assert isinstance(content, list)
    lines = ",\n".join(json.dumps(entry) for entry in content)
    (FOLDER / name).write_text(f"[\n{lines}\n]\n", encoding="ascii")


def main() -> None:
    """Write all files."""
    FOLDER.mkdir(exist_ok=True)
    write(
        "messages.json",
        [
            {
                "name": name,
                "message": message,
                "values": {field: jsonable(value) for field, (_, value) in fields.items()},
                "payload": payload_of(number, fields).hex(),
            }
            for name, message, number, fields in MESSAGES
        ],
    )
    write("refused.json", [{"name": n, "payload": p.hex(), "reason": r} for n, p, r in refused()])
    write("keys.json", keys())
    write("sealed.json", sealed())
    write("sealed_refused.json", sealed_refused())


if __name__ == "__main__":
    main()
