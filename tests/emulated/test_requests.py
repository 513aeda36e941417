# SPDX-License-Identifier: MIT
"""Requests on the control channel: each is read, nothing else is."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim_hardware.emulated import requests
from sim_hardware.emulated.names import Answer
from sim_hardware.emulated.network import Wifi
from sim_hardware.errors import SimError


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ('{"do":"time"}', requests.Time()),
        ('{"do":"wait","until_us":5}', requests.Wait(5)),
        ('{"do":"power","on":false}', requests.Power(on=False)),
        ('{"do":"power","on":false,"for_ms":50}', requests.Power(on=False, for_ms=50)),
        ('{"do":"wifi","state":"no_dhcp"}', requests.WifiLink(Wifi.NO_DHCP)),
        ('{"do":"wifi","state":"off","for_ms":9}', requests.WifiLink(Wifi.OFF, 9)),
        ('{"do":"dns","answer":"gateway","delay_ms":9}', requests.Dns(Answer.GATEWAY, 9)),
        ('{"do":"pin","gpio":15,"level":true,"at_us":7}', requests.Pin(15, True, 7)),
        ('{"do":"take","folder":"walk","node":"n01"}', requests.Take("walk", "n01")),
    ],
)
def test_request_is_read(text, request_):
    assert requests.parse(text.encode()) == request_


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"do":"explode"}',
        '{"do":"time","more":1}',
        '{"do":"pin","gpio":30,"level":true}',
        '{"do":"pin","gpio":15,"level":2}',
        '{"do":"adc","channel":4,"code":0}',
        '{"do":"adc","channel":0,"code":4096}',
        '{"do":"wait","until_us":-1}',
        '{"do":"dns","answer":"gateway","delay_ms":600001}',
        '{"do":"wifi","state":"slow"}',
        '{"do":"wifi","state":"off","for_ms":0}',
        '{"do":"power","on":false,"for_ms":3600001}',
    ],
)
def test_request_that_is_invalid_is_refused_in_one_line(text):
    with pytest.raises(SimError, match="invalid request") as refused:
        requests.parse(text.encode())
    assert "\n" not in str(refused.value)


@given(st.binary(max_size=200) | st.recursive(
    st.none() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner)
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_request_of_any_bytes_is_refused(data):
    with pytest.raises(SimError):
        requests.parse(data)
