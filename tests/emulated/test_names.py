# SPDX-License-Identifier: MIT
"""The emulated name server: what it answers to real questions, and to anything else."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from sim_hardware.emulated.names import Answer, NameServer

ADDRESS = bytes((10, 0, 0, 1))
# "gw.example", type A, class IN, as RFC 1035, 4.1 lays it out.
QUESTION = b"\2gw\7example\0" + struct.pack(">2H", 1, 1)
QUERY = struct.pack(">6H", 0xBEEF, 0x0100, 1, 0, 0, 0) + QUESTION


def test_name_server_that_is_absent_sends_nothing():
    assert NameServer().reply(QUERY, ADDRESS) is None


def test_name_server_that_refuses_repeats_the_question_with_code_5():
    reply = NameServer(Answer.REFUSE).reply(QUERY, ADDRESS)
    assert reply == struct.pack(">6H", 0xBEEF, 0x8185, 1, 0, 0, 0) + QUESTION


def test_name_server_answers_an_address_question_with_the_gateway():
    reply = NameServer(Answer.GATEWAY).reply(QUERY, ADDRESS)
    assert reply is not None
    assert reply[:12] == struct.pack(">6H", 0xBEEF, 0x8180, 1, 1, 0, 0)
    assert reply[12 : 12 + len(QUESTION)] == QUESTION
    record = reply[12 + len(QUESTION) :]
    assert record[:2] == b"\xc0\x0c"  # the name is the one at offset 12
    assert struct.unpack(">2HIH", record[2:12]) == (1, 1, 60, 4)
    assert record[12:] == ADDRESS


def test_name_server_has_no_other_record_of_the_name():
    query = QUERY[:-4] + struct.pack(">2H", 28, 1)  # AAAA
    reply = NameServer(Answer.GATEWAY).reply(query, ADDRESS)
    assert reply == struct.pack(">6H", 0xBEEF, 0x8180, 1, 0, 0, 0) + query[12:]


@given(st.binary(max_size=600), st.sampled_from([Answer.REFUSE, Answer.GATEWAY]))
def test_name_server_survives_any_datagram(datagram, answer):
    reply = NameServer(answer).reply(datagram, ADDRESS)
    assert reply is None or (reply[:2] == datagram[:2] and len(reply) <= len(datagram) + 16)


@given(st.integers(0, len(QUERY) - 1))
def test_name_server_drops_a_question_that_was_cut(length):
    assert NameServer(Answer.GATEWAY).reply(QUERY[:length], ADDRESS) is None
