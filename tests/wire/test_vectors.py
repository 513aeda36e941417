# SPDX-License-Identifier: MIT
"""All codecs against independent vectors (make_vectors.py, RFCs, the COSE group)."""

from __future__ import annotations

import hashlib
import hmac
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESCCM

HERE = Path(__file__).parent
Ask = Callable[[list[list[Any]]], list[Any]]
Vectors = Callable[[str], list[dict[str, Any]]]


def _compare(ask: Ask, cases: list[tuple[str, list[Any], Any]]) -> None:
    """Ask all at once; list every case with a different answer."""
    assert cases
    answers = ask([question for _, question, _ in cases])
    wrong = [
        f"{name}: {answer} is not {expected}"
        for (name, _, expected), answer in zip(cases, answers, strict=True)
        if answer != expected
    ]
    assert not wrong, "\n".join(wrong)


def test_vectors_in_the_repository_are_those_of_the_script(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(HERE / "make_vectors.py"), str(tmp_path)], check=True)
    written = sorted(path.name for path in tmp_path.iterdir())
    assert len(written) == 5
    for name in written:
        assert (tmp_path / name).read_text() == (HERE / "vectors" / name).read_text()


def test_message_with_given_values_encodes_as_cbor2_does(codec: Ask, vectors: Vectors) -> None:
    _compare(
        codec,
        [
            (v["name"], ["encode", v["message"], v["values"]], v["payload"])
            for v in vectors("messages")
        ],
    )


def test_payload_from_cbor2_decodes_to_its_values(codec: Ask, vectors: Vectors) -> None:
    _compare(
        codec,
        [
            (v["name"], ["decode", v["payload"]], [v["message"], v["values"]])
            for v in vectors("messages")
        ],
    )


def test_payload_with_one_fault_is_refused_for_it(codec: Ask, vectors: Vectors) -> None:
    _compare(
        codec,
        [
            (v["name"], ["decode", v["payload"]], {"refused": v["reason"]})
            for v in vectors("refused")
        ],
    )


def test_message_of_the_other_direction_is_refused(codec: Ask, vectors: Vectors) -> None:
    down = ("receipt", "time", "command", "chunk")
    cases = []
    for v in vectors("messages"):
        own, other = ("down", "up") if v["message"] in down else ("up", "down")
        cases += [
            (v["name"], ["decode", v["payload"], own], [v["message"], v["values"]]),
            (v["name"], ["decode", v["payload"], other], {"refused": "wrong_direction"}),
        ]
    _compare(codec, cases)


def test_payload_sealed_gives_the_bytes_of_pycose(codec: Ask, vectors: Vectors) -> None:
    _compare(
        codec,
        [
            (v["name"], ["seal", v["key"], v["iv"], v["piv"], v["payload"], v["aad"]], v["sealed"])
            for v in vectors("sealed")
        ],
    )


def test_message_sealed_by_pycose_opens(codec: Ask, vectors: Vectors) -> None:
    _compare(
        codec,
        [
            (
                v["name"],
                ["open", v["key"], v["iv"], v["sealed"], v["aad"]],
                [v["piv"], v["payload"]],
            )
            for v in vectors("sealed")
        ],
    )


def test_sealed_message_with_one_fault_is_refused_for_it(codec: Ask, vectors: Vectors) -> None:
    _compare(
        codec,
        [
            (
                v["name"],
                ["open", v["key"], v["iv"], v["sealed"], v["aad"]],
                {"refused": v["reason"]},
            )
            for v in vectors("sealed_refused")
        ],
    )


def test_sealed_message_with_any_bit_flipped_is_refused(codec: Ask, vectors: Vectors) -> None:
    vector = next(v for v in vectors("sealed") if v["name"] == "detection_onset_4")
    whole = bytes.fromhex(vector["sealed"])
    questions = []
    for bit in range(8 * len(whole)):
        flipped = (int.from_bytes(whole, "big") ^ 1 << bit).to_bytes(len(whole), "big").hex()
        questions.append(["open", vector["key"], vector["iv"], flipped, vector["aad"]])
    reasons = [answer["refused"] for answer in codec(questions)]
    assert set(reasons) == {"bad_tag", "bad_envelope"}


def test_node_key_gives_the_keys_of_cryptography(codec: Ask, vectors: Vectors) -> None:
    parts = ("up_key", "up_iv", "down_key", "down_iv", "mqtt_password")
    _compare(
        codec,
        [
            (v["node_key"], ["derive", v["node_key"]], [v[part] for part in parts])
            for v in vectors("keys")
        ],
    )


def test_cbor_of_rfc8949_is_read_or_refused(codec: Ask, vectors: Vectors) -> None:
    cases = []
    for v in vectors("published_cbor"):
        expected = {"refused": v["reason"]} if "reason" in v else v["value"]
        cases.append((v["encoded"], ["read", v["encoded"], 4], expected))
    _compare(codec, cases)


def test_ccm_of_rfc3610_and_the_cose_group_is_met(node: Ask, vectors: Vectors) -> None:
    cases = []
    for v in vectors("published_aes_ccm"):
        key, nonce, plain, aad = (bytes.fromhex(v[p]) for p in ("key", "nonce", "plain", "aad"))
        # The figures themselves, against a fourth implementation.
        assert AESCCM(key, tag_length=8).encrypt(nonce, plain, aad).hex() == v["sealed"]
        opened = ["ccm_open", v["key"], v["nonce"], v["sealed"], v["aad"]]
        cases += [
            (v["source"], ["ccm", v["key"], v["nonce"], v["plain"], v["aad"]], v["sealed"]),
            (v["source"], opened, v["plain"]),
        ]
    _compare(node, cases)


def test_ccm_of_every_length_to_three_blocks_matches_cryptography(node: Ask) -> None:
    key, nonce = bytes(range(16)), bytes(range(13))
    cases = []
    for size in range(49):
        data, aad = bytes(range(size)), bytes(range(1, 2 + size))
        sealed = AESCCM(key, tag_length=8).encrypt(nonce, data, aad).hex()
        question = ["ccm", key.hex(), nonce.hex(), data.hex(), aad.hex()]
        cases.append((str(size), question, sealed))
        opened = ["ccm_open", key.hex(), nonce.hex(), sealed, aad.hex()]
        cases.append((str(size), opened, data.hex()))
    _compare(node, cases)


def test_enc_structure_without_aad_is_that_of_the_cose_group(codec: Ask, vectors: Vectors) -> None:
    expected = vectors("published_aes_ccm")[-1]["aad"]
    _compare(codec, [("empty external_aad", ["enc_structure", ""], expected)])


def test_hkdf_expand_of_rfc5869_is_met(node: Ask, vectors: Vectors) -> None:
    cases = []
    for v in vectors("published_hkdf_sha256"):
        salt = bytes.fromhex(v["salt"]) or bytes(32)
        prk = hmac.new(salt, bytes.fromhex(v["ikm"]), hashlib.sha256).hexdigest()
        assert prk == v["prk"]
        cases.append((v["source"], ["expand", prk, v["info"], v["length"]], v["okm"]))
    _compare(node, cases)


def test_down_counter_has_one_form(codec: Ask) -> None:
    cases: list[tuple[str, list[Any], Any]] = []
    for counter, piv in ((1, "01"), (255, "ff"), (256, "0100"), (2**32, "0100000000")):
        cases += [
            (piv, ["down_piv", counter], piv),
            (piv, ["parse_down_piv", piv], counter),
        ]
    cases += [(str(counter), ["down_piv", counter], {"wrong": True}) for counter in (0, -1, 2**40)]
    refused = {"refused": "bad_counter"}
    cases += [(piv, ["parse_down_piv", piv], refused) for piv in ("", "00", "0001", "010203040506")]
    aad = b"groundwatch/v1/s/n/down\x01\x02".hex()
    cases.append(("aad", ["down_aad", "groundwatch/v1/s/n/down", 258], aad))
    _compare(codec, cases)


def test_up_counter_names_lane_boot_and_seq(codec: Ask) -> None:
    refused = {"refused": "bad_counter"}
    bad = ("", "01", "000100", "00000001", "00010000", "0000010001", "0200010001", "010001000100")
    cases: list[tuple[str, list[Any], Any]] = [
        ("durable", ["parse_up_piv", "00010002"], [0, 1, 2]),
        ("volatile", ["parse_up_piv", "01ffff0100"], [1, 65_535, 256]),
        *[(piv, ["parse_up_piv", piv], refused) for piv in bad],
    ]
    _compare(codec, cases)


def test_partial_iv_in_another_form_opens_but_its_counter_is_refused(
    codec: Ask, vectors: Vectors
) -> None:
    # The tag does not cover leading zero bytes of a Partial IV: the strict counter has to.
    vector = next(v for v in vectors("sealed") if v["name"] == "detection_onset_4")
    whole = bytes.fromhex(vector["sealed"])
    piv = whole[8:12]
    assert piv[0] == 0
    for other in (piv[1:], b"\x00" + piv):
        altered = whole[:7] + bytes((0x40 | len(other),)) + other + whole[12:]
        question = ["open", vector["key"], vector["iv"], altered.hex(), vector["aad"]]
        refused = {"refused": "bad_counter"}
        _compare(
            codec,
            [
                ("opens", question, [other.hex(), vector["payload"]]),
                ("counter", ["parse_up_piv", other.hex()], refused),
            ],
        )


def test_up_counter_out_of_range_is_not_sealed(node: Ask) -> None:
    wrong = {"wrong": True}
    _compare(
        node,
        [
            ("durable", ["up_piv", 0, 1, 2], "00010002"),
            ("volatile", ["up_piv", 1, 65_535, 256], "01ffff0100"),
            ("space 2", ["up_piv", 2, 1, 1], wrong),
            ("boot 0", ["up_piv", 0, 0, 1], wrong),
            ("seq 0", ["up_piv", 0, 1, 0], wrong),
            ("boot too large", ["up_piv", 0, 65_536, 1], wrong),
            ("seq too large", ["up_piv", 0, 1, 65_536], wrong),
        ],
    )
