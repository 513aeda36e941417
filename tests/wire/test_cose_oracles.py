# SPDX-License-Identifier: MIT
"""Messages sealed by us, opened by two COSE libraries that are not ours."""

from __future__ import annotations

import os

import cbor2
import pytest
from cwt import COSE, COSEKey
from pycose.algorithms import AESCCM1664128
from pycose.keys import SymmetricKey
from pycose.messages import Enc0Message

from gateway.wire import seal

TAG_16 = b"\xd0"  # both libraries want the tagged form
TOPIC = b"groundwatch/v1/ford/n07/up"
PIVS = (b"\x00\x01\x00\x02", b"\x01\xff\xff\xff\xff", b"\x07")


def _random() -> tuple[bytes, bytes, bytes]:
    # pycose 1.1 drops leading zero bytes of a nonce, so the common IV has none.
    return os.urandom(16), b"\x55" + os.urandom(12), os.urandom(29)


@pytest.mark.parametrize("piv", PIVS)
def test_message_sealed_by_the_gateway_opens_with_pycose(piv: bytes) -> None:
    key, iv, payload = _random()
    message = Enc0Message.decode(TAG_16 + seal.seal(key, iv, piv, payload, TOPIC))
    message.key = SymmetricKey(key, optional_params={"ALG": AESCCM1664128, "BASE_IV": iv})
    message.external_aad = TOPIC
    assert message.decrypt() == payload


@pytest.mark.parametrize("piv", PIVS)
def test_message_sealed_by_the_gateway_opens_with_cwt(piv: bytes) -> None:
    key, iv, payload = _random()
    protected, _, ciphertext = cbor2.loads(seal.seal(key, iv, piv, payload, TOPIC))
    # cwt knows no Partial IV; the unprotected header is free to carry the whole nonce instead.
    nonce = bytes(a ^ b for a, b in zip(iv, piv.rjust(13, b"\x00"), strict=True))
    tagged = TAG_16 + cbor2.dumps([protected, {5: nonce}, ciphertext])
    cose_key = COSEKey.new({1: 4, 3: 10, -1: key})
    assert COSE.new().decode(tagged, cose_key, external_aad=TOPIC) == payload
