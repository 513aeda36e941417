# SPDX-License-Identifier: MIT
"""Messages sealed by the gateway, opened by an independent COSE library."""

from __future__ import annotations

import os

import cbor2
import pytest
from pycose.algorithms import AESCCM1664128
from pycose.keys import SymmetricKey
from pycose.messages import Enc0Message

from gateway.wire import seal

TOPIC = b"groundwatch/v1/ford/n07/up"
PIVS = (b"\x00\x01\x00\x02", b"\x01\xff\xff\xff\xff", b"\x07")


def _random() -> tuple[bytes, bytes, bytes]:
    # pycose 1.1 drops leading zero bytes of a nonce, so the common IV has none.
    return os.urandom(16), b"\x55" + os.urandom(12), os.urandom(29)


@pytest.mark.parametrize("piv", PIVS)
def test_message_sealed_by_the_gateway_opens_with_pycose(piv: bytes) -> None:
    key, iv, payload = _random()
    # Without pycose's own reader of tags, which takes no array of cbor2 6.
    parts = cbor2.loads(seal.seal(key, iv, piv, payload, TOPIC))
    message = Enc0Message.from_cose_obj(parts, allow_unknown_attributes=True)
    message.key = SymmetricKey(key, optional_params={"ALG": AESCCM1664128, "BASE_IV": iv})
    message.external_aad = TOPIC
    assert message.decrypt() == payload
