# SPDX-License-Identifier: MIT
"""Vectors of the pure translations: what goes out for one notification and for one view."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.connectors.email.config import EmailConfig
from gateway.connectors.email.translate import compose, content_heals, own_name, recipient_heals
from gateway.connectors.mqtt import translate as mqtt
from gateway.connectors.ntfy import translate as ntfy
from gateway.connectors.webhook import translate as webhook
from gateway.ports.picture import Change
from tests.connectors.made import read

BODY: dict[str, Any] = {
    "version": 1,
    "delivery": 17,
    "site": "yard",
    "alarm": 7,
    "change": "raised",
    "kind": "intrusion",
    "priority": 1,
    "state": "active_unacked",
    "title": "yard: person in west",
    "text": "two nodes agree\nnodes n01, n02",
    "at_us": 1_790_000_000_000_000,
}


def test_webhook_signature_is_the_hmac_that_openssl_computes() -> None:
    # printf '1790000000.{}' | openssl dgst -sha256 -hmac key
    expected = "099d33989336226b12c85da813adf6100e1bbab1e91bede9a41ddeb7882d66b8"
    assert webhook.sign("key", 1_790_000_000, b"{}") == f"t=1790000000,v1={expected}"


def test_webhook_request_has_its_delivery_and_the_signature_of_its_bytes() -> None:
    data, headers = webhook.request(BODY, "key", 1_790_000_000)
    assert json.loads(data) == BODY
    assert headers[webhook.DELIVERY] == "17"
    assert headers[webhook.SIGNATURE] == webhook.sign("key", 1_790_000_000, data)


@pytest.mark.parametrize(
    ("code", "text", "heals"),
    [
        (450, "4.2.0 Greylisted", True),
        (451, "try again later", True),
        (504, "5.5.2 <laptop>: Helo command rejected: need fully-qualified hostname", True),
        (550, "5.7.1 Relaying denied", True),
        (554, "Relay access denied", True),
        (552, "5.2.2 Mailbox full", True),
        (550, "5.1.1 No such user", False),
        (550, "No such user here", False),
        (551, "User not local", False),
        (550, "5.2.1 Mailbox disabled", False),
        (550, "5.1.10 Recipient not found", False),
    ],
)
def test_email_refusal_of_a_recipient_ends_when_a_person_or_time_can_correct_it(
    code: int, text: str, heals: bool
) -> None:
    assert recipient_heals(code, text) is heals


@pytest.mark.parametrize(
    ("code", "text", "heals"),
    [(451, "4.3.0 later", True), (552, "5.2.2 over quota", True), (554, "5.7.1 spam", False)],
)
def test_email_refusal_of_a_message_ends_when_there_is_room(
    code: int, text: str, heals: bool
) -> None:
    assert content_heals(code, text) is heals


@pytest.mark.parametrize(
    ("address", "name"),
    [("192.168.4.7", "[192.168.4.7]"), ("fe80::1%eth0", "[IPv6:fe80::1]")],
)
def test_email_greeting_is_an_address_literal(address: str, name: str) -> None:
    assert own_name(address) == name


@pytest.mark.parametrize(("priority", "theirs"), [(1, 5), (2, 4), (3, 3)])
def test_ntfy_request_turns_our_priority_into_theirs(priority: int, theirs: int) -> None:
    data, headers = ntfy.request({**BODY, "priority": priority}, "north", None)
    assert json.loads(data) == {
        "topic": "north",
        "title": "yard: person in west",
        "message": "two nodes agree\nnodes n01, n02",
        "priority": theirs,
        "tags": ["intrusion"],
    }
    assert "Authorization" not in headers


def test_email_is_urgent_and_has_an_id_that_a_copy_shares(tmp_path: Path) -> None:
    values = {"host": "127.0.0.1", "from": "yard@example.net", "to": ["duty@example.net"]}
    config = read(tmp_path, kind="email", **values)
    assert isinstance(config, EmailConfig)
    body = {**BODY, "to": "duty@example.net"}
    message = compose(config, body)
    assert message["Message-ID"] == "<yard-17-1790000000000000@example.net>"
    assert message["X-Priority"] == "1"
    assert message["Auto-Submitted"] == "auto-generated"
    assert compose(config, {**body, "priority": 2})["X-Priority"] is None


@given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_mqtt_state_topic_of_any_id_is_one_level_and_comes_back(kind: str, name: str) -> None:
    try:
        topic = mqtt.state_topic("a/b", kind, name)
    except UnicodeEncodeError:
        return  # a lone surrogate is no text
    assert topic.count("/") == 4 and not set("+#\0") & set(topic)
    assert mqtt.state_key("a/b", topic) == (kind, name)


@pytest.mark.parametrize("topic", ["a/b/state", "a/b/state/node", "a/c/state/node/n1", "x"])
def test_mqtt_topic_that_is_none_of_ours_has_no_key(topic: str) -> None:
    assert mqtt.state_key("a/b", topic) is None


def test_mqtt_payload_of_what_is_gone_is_empty() -> None:
    assert mqtt.payload(Change("node", "n01", None)) == b""
    assert mqtt.payload(Change("node", "n01", {"b": 1, "a": 2})) == b'{"a":2,"b":1}'


def test_ntfy_answer_to_json_below_a_topic_is_no_published_notification() -> None:
    # What ntfy 2.11 answers to this JSON at its root, and at the address of the topic.
    fine = {"id": "a", "event": "message", "topic": "north", "title": "t", "message": "x"}
    raw = {"id": "a", "event": "message", "topic": "north", "message": '{"topic": "north"}'}
    assert ntfy.is_published(json.dumps(fine).encode(), "north")
    assert not ntfy.is_published(json.dumps(raw).encode(), "north")
    assert not ntfy.is_published(json.dumps({**fine, "topic": "south"}).encode(), "north")
    assert not ntfy.is_published(b"[" * 60_000, "north")
