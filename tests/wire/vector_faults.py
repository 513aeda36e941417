# SPDX-License-Identifier: MIT
"""wire vectors: payloads with one fault each, and the word a decoder must refuse them with."""

from __future__ import annotations

from typing import Any

import cbor2
from vector_messages import MESSAGES, Fields, payload_of

Fault = tuple[str, bytes, str]  # name, payload, reason
BY_NAME = {name: fields for name, _, _, fields in MESSAGES}
ONSET = BY_NAME["detection_onset"]
HELLO = BY_NAME["hello_of_a_fresh_node"]
HEALTH = BY_NAME["health_at_its_largest"]
CONDITION = BY_NAME["condition_tamper"]
TAMPER = payload_of(4, CONDITION)
assert TAMPER.hex() == "a40004011a00015f9002010301"  # what the rows below take apart

# In hex digits: what no CBOR library writes.
HAND_MADE = [
    ("empty", "", "not_cbor"),
    ("cut_in_a_number", "a40004011a0001", "not_cbor"),
    ("cut_after_a_key", "a40004011a00015f90020103", "not_cbor"),
    ("only_a_map_head", "a4", "not_cbor"),
    ("map_claims_2_to_the_64_entries", "bbffffffffffffffff", "not_cbor"),
    ("string_claims_2_to_the_32_bytes", "a1005b0000000100000000", "not_cbor"),
    ("array_claims_65536_items", "a20010019a00010000", "not_cbor"),
    ("reserved_information_28", "a1001c", "not_cbor"),
    ("indefinite_number", "a1001f", "not_cbor"),
    ("break_alone", "ff", "not_cbor"),
    ("indefinite_map", "bf0004011a00015f9002010301ff", "not_deterministic"),
    ("indefinite_bytes", "a1005f4101ff", "not_deterministic"),
    ("indefinite_text", "a1007f6161ff", "not_deterministic"),
    ("indefinite_array", "a20010019f0102ff", "not_deterministic"),
    ("id_in_two_bytes", "a4001804011a00015f9002010301", "not_deterministic"),
    ("number_in_nine_bytes", "a40004011b0000000000015f9002010301", "not_deterministic"),
    ("number_in_three_bytes", "a40004011900ff02010301", "not_deterministic"),
    ("number_in_five_bytes", "a40004011a0000ffff02010301", "not_deterministic"),
    ("key_in_two_bytes", "a4000418011a00015f9002010301", "not_deterministic"),
    ("map_count_in_two_bytes", "b8040004011a00015f9002010301", "not_deterministic"),
    ("string_length_in_two_bytes", "a2001201580100", "not_deterministic"),
    ("key_twice", "a500040100010102010301", "not_deterministic"),
    ("keys_unsorted", "a40004020101000301", "not_deterministic"),
    ("id_not_first", "a40100000402010301", "not_deterministic"),
    ("tag_on_the_map", "d9d9f7a40004011a00015f9002010301", "unsupported"),
    ("tag_on_a_number", "a4000401c10002010301", "unsupported"),
    ("bignum", "a4000401c2410102010301", "unsupported"),
    ("shared_references", "d81c81d81d00", "unsupported"),
    ("simple_255", "a100f8ff", "unsupported"),
    ("text_key", "a20004613100", "unsupported"),
    ("negative_key", "a200042000", "unsupported"),
    ("text_that_is_not_utf8", "a200010262c328", "unsupported"),
    ("text_with_a_surrogate", "a200010263eda080", "unsupported"),
    ("array_in_an_array", "a2001001818101", "too_deep"),
    ("map_in_an_array", "a200100181a10101", "too_deep"),
    ("200_nested_arrays", "81" * 200 + "00", "too_deep"),
    ("a_number", "04", "unknown_message"),
    ("an_array", "820401", "unknown_message"),
    ("empty_map", "a0", "unknown_message"),
    ("no_id", "a10100", "unknown_message"),
    ("id_0", "a10000", "unknown_message"),
    ("id_10_of_nothing", "a1000a", "unknown_message"),
    ("id_of_minus_2_to_the_64", "a1003bffffffffffffffff", "unknown_message"),
    ("id_that_is_text", "a1006132", "unknown_message"),
    ("id_that_is_an_array", "a1008102", "unknown_message"),
    ("id_that_is_a_map", "a100a10002", "unknown_message"),
    ("all_fields_absent", "a10002", "missing_field"),
    ("too_long_by_one", "00" * 1513, "too_big"),
    ("as_long_as_may_be", "00" * 1512, "trailing"),
]


def _changed(number: int, fields: Fields, **values: Any) -> bytes:
    """A message with some values replaced, whatever they are."""
    replaced = {name: (key, values.get(name, value)) for name, (key, value) in fields.items()}
    return payload_of(number, replaced)


def _of_detections() -> list[Fault]:
    changes: list[tuple[str, dict[str, Any], str]] = [
        ("float_16", {"confidence_pct": 0.5}, "unsupported"),
        ("float_64", {"confidence_pct": 0.1}, "unsupported"),
        ("null", {"confidence_pct": None}, "unsupported"),
        ("true", {"phase": True}, "unsupported"),
        ("phase_0", {"phase": 0}, "bad_field"),
        ("phase_4", {"phase": 4}, "bad_field"),
        ("class_6", {"class": 6}, "bad_field"),
        ("confidence_101", {"confidence_pct": 101}, "bad_field"),
        ("pir_count_24", {"pir_count": 24}, "bad_field"),
        ("t_ms_of_33_bits", {"t_ms": 1 << 32}, "bad_field"),
        ("t_ms_of_64_bits", {"t_ms": 2**64 - 1}, "bad_field"),
        ("t_ms_negative", {"t_ms": -1}, "bad_field"),
        ("t_ms_is_bytes", {"t_ms": b"\x00"}, "bad_field"),
        ("t_ms_is_text", {"t_ms": "0"}, "bad_field"),
        ("t_ms_is_an_array", {"t_ms": [0]}, "bad_field"),
    ]
    without_phase = {name: pair for name, pair in ONSET.items() if name != "phase"}
    return [
        *((name, _changed(2, ONSET, **values), reason) for name, values, reason in changes),
        ("required_field_absent", payload_of(2, without_phase), "missing_field"),
    ]


def _of_other_messages() -> list[Fault]:
    snippet = BY_NAME["snippet_of_three_samples"]
    time = BY_NAME["time_now"]
    upto: list[tuple[str, Any]] = [
        ("upto_empty", []),
        ("upto_odd", [1, 2, 3]),
        ("upto_of_nine_boots", [1] * 18),
        ("upto_of_17_bits", [1, 65_536]),
        ("upto_negative", [1, -1]),
        ("upto_of_text", ["1", "2"]),
        ("upto_a_number", 1),
        ("upto_a_map", {1: 2}),
    ]
    return [
        ("one_byte_after", TAMPER + b"\x00", "trailing"),
        ("twice_the_message", TAMPER + TAMPER, "trailing"),
        ("cut_in_a_string", payload_of(5, snippet)[:-1], "not_cbor"),
        ("text_with_an_accent", _changed(1, HELLO, fw="v\u00fc"), "unsupported"),
        ("text_with_a_newline", _changed(1, HELLO, fw="v\n"), "unsupported"),
        ("fw_too_long", _changed(1, HELLO, fw="v" * 17), "bad_field"),
        ("fw_empty", _changed(1, HELLO, fw=""), "bad_field"),
        ("fw_is_bytes", _changed(1, HELLO, fw=b"1"), "bad_field"),
        ("rssi_positive", _changed(3, HEALTH, rssi_dbm=1), "bad_field"),
        ("rssi_below", _changed(3, HEALTH, rssi_dbm=-129), "bad_field"),
        ("active_2", _changed(4, CONDITION, active=2), "bad_field"),
        ("key_of_no_field", payload_of(4, {**CONDITION, "x": (9, 0)}), "bad_field"),
        ("key_of_64_bits", payload_of(4, {**CONDITION, "x": (2**64 - 1, 0)}), "bad_field"),
        ("data_too_long", _changed(5, snippet, data=bytes(1025)), "bad_field"),
        (
            "settings_of_25_bytes",
            payload_of(1, {**HELLO, "settings": (13, bytes(25))}),
            "bad_field",
        ),
        ("settings_are_text", payload_of(1, {**HELLO, "settings": (13, "a")}), "bad_field"),
        ("log_data_too_long", _changed(9, BY_NAME["log_part"], data=bytes(97)), "bad_field"),
        ("log_index_of_9_bits", _changed(9, BY_NAME["log_part"], index=256), "bad_field"),
        ("log_without_parts", _changed(9, BY_NAME["log_part"], total=0), "bad_field"),
        ("command_of_kind_8", _changed(18, BY_NAME["command_ping"], kind=8), "bad_field"),
        ("utc_of_54_bits", _changed(17, time, utc_ms=1 << 53), "bad_field"),
        *((name, cbor2.dumps({0: 16, 1: value}), "bad_field") for name, value in upto),
    ]


def refused() -> list[Fault]:
    """All of them."""
    by_hand = [(name, bytes.fromhex(digits), reason) for name, digits, reason in HAND_MADE]
    return by_hand + _of_detections() + _of_other_messages()
