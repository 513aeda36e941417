# SPDX-License-Identifier: MIT
"""The embedded broker: what arrives is offered in process, acknowledged late, and bounded."""

from __future__ import annotations

import asyncio
import secrets

import pytest

from gateway.broker import peer
from gateway.broker.packets import Kind, frame, read_packet
from tests.gateway.brokers import Client, Offered, connect, text
from tests.gateway.played_node import SITE, until

PASSWORDS = {"n01": ("one",), "n02": ("two",)}
UP1, UP2 = (f"groundwatch/v1/{SITE}/{node}/up" for node in ("n01", "n02"))
DOWN1 = f"groundwatch/v1/{SITE}/n01/down"


async def subscribed(client: Client) -> None:
    client.writer.write(frame(Kind.SUBSCRIBE, b"\0\1" + text(DOWN1) + b"\0"))
    await client.next(Kind.SUBACK)


async def test_embedded_message_arrives_in_process_with_its_time_and_link() -> None:
    offered = Offered()
    async with offered.embedded(PASSWORDS) as broker:
        node, _code = await connect(broker.address, "n01", "one")
        node.publish(UP1, b"x", 7)
        arrival = await offered.next()
        assert (arrival.arrival_us, arrival.topic, arrival.payload) == (7, UP1, b"x")
        assert arrival.link is broker
        assert await node.acknowledged() == 7


async def test_embedded_puback_waits_for_the_acknowledgement() -> None:
    offered = Offered(acknowledging=False)
    async with offered.embedded(PASSWORDS) as broker:
        node, _code = await connect(broker.address, "n01", "one")
        for packet_id in (7, 8):
            node.publish(UP1, b"x", packet_id)
        first, second = await offered.next(), await offered.next()
        node.writer.write(frame(Kind.PINGREQ))
        assert (await read_packet(node.reader, 4096))[0] is Kind.PINGRESP  # and no PUBACK
        second.acknowledge()
        assert await node.acknowledged() == 8
        first.acknowledge()
        assert await node.acknowledged() == 7


async def test_embedded_downlink_reaches_the_subscribed_node_only() -> None:
    async with Offered().embedded(PASSWORDS) as broker:
        assert not broker.send(DOWN1, b"away")
        node, _code = await connect(broker.address, "n01", "one")
        assert not broker.send(DOWN1, b"not subscribed")
        await subscribed(node)
        assert broker.send(DOWN1, b"here")
        assert (await node.next(Kind.PUBLISH)).endswith(b"/downhere")
        assert (broker.counters["down"], broker.counters["down_dropped"]) == (1, 2)


async def test_embedded_no_room_holds_every_message_back_until_there_is() -> None:
    offered = Offered(room=3)
    async with offered.embedded(PASSWORDS) as broker:
        node, _code = await connect(broker.address, "n01", "one")
        other, _code = await connect(broker.address, "n02", "two")
        sent = [b"%d" % number for number in range(100)]
        for number, payload in enumerate(sent):
            node.publish(UP1, payload, 0 if number % 3 else number + 1)
        await until(lambda: offered.refused > 3)
        other.publish(UP2, b"other", 1)
        await until(lambda: broker.counters["held_back"] == 2)
        assert offered.arrived.qsize() == 3
        offered.room = 1000
        arrived = [await offered.next() for _ in range(101)]
        assert [one.payload for one in arrived if one.topic == UP1] == sent
        assert sum(one.topic == UP2 for one in arrived) == 1


async def test_embedded_inflight_window_full_reads_on_after_an_acknowledgement() -> None:
    offered = Offered(acknowledging=False)
    async with offered.embedded(PASSWORDS) as broker:
        node, _code = await connect(broker.address, "n01", "one")
        for number in range(1, peer.INFLIGHT + 3):
            node.publish(UP1, b"%d" % number, number)
        arrived = [await offered.next() for _ in range(peer.INFLIGHT)]
        assert offered.arrived.empty()
        arrived[3].acknowledge()
        assert await node.acknowledged() == 4
        assert (await offered.next()).payload == b"%d" % (peer.INFLIGHT + 1)
        assert offered.arrived.empty()


async def test_embedded_flooding_node_waits_and_another_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(peer, "BURST", 50)
    offered = Offered()
    async with offered.embedded(PASSWORDS) as broker:
        node, _code = await connect(broker.address, "n01", "one")
        other, _code = await connect(broker.address, "n02", "two")
        for _ in range(120):
            node.publish(UP1, b"flood", 0)
        await until(lambda: broker.counters["slowed_down"] > 0)
        other.publish(UP2, b"other", 1)
        assert await other.acknowledged() == 1
        assert offered.arrived.qsize() < 100
        await until(lambda: offered.arrived.qsize() == 121)  # a second of the node's share


async def test_embedded_reader_that_reads_nothing_is_not_read_either() -> None:
    offered = Offered()
    async with offered.embedded(PASSWORDS) as broker:
        node, _code = await connect(broker.address, "n01", "one")
        await subscribed(node)
        session = broker.sessions["n01"]
        await until(lambda: not all(broker.send(DOWN1, bytes(1400)) for _ in range(100)))
        assert session._waits
        node.publish(UP1, b"x", 1)
        assert offered.arrived.empty()
        reading = asyncio.create_task(node.closed(30.0))
        assert (await offered.next()).payload == b"x"
        reading.cancel()


async def test_embedded_message_at_qos_0_that_waited_survives_its_connection() -> None:
    offered = Offered(room=0)
    async with offered.embedded(PASSWORDS) as broker:
        node, _code = await connect(broker.address, "n01", "one", will=UP1)
        node.publish(UP1, b"x", 0)
        await until(lambda: offered.refused)
        broker.sessions["n01"].close()
        await until(lambda: not broker.sessions)
        offered.room = 2
        assert [(await offered.next()).payload for _ in range(2)] == [b"x", b"gone"]


async def test_embedded_node_that_connects_again_replaces_itself_without_its_will() -> None:
    offered = Offered()
    async with offered.embedded(PASSWORDS) as broker:
        old, _code = await connect(broker.address, "n01", "one", will=UP1)
        new, _code = await connect(broker.address, "n01", "one", will=UP1)
        assert await old.closed()
        new.publish(UP1, b"marker", 1)
        assert (await offered.next()).payload == b"marker"
        assert broker.sessions["n01"].will is not None


async def test_embedded_old_acknowledgement_does_not_reach_the_new_connection() -> None:
    offered = Offered(acknowledging=False)
    async with offered.embedded(PASSWORDS) as broker:
        old, _code = await connect(broker.address, "n01", "one")
        old.publish(UP1, b"x", 5)
        late = await offered.next()
        new, _code = await connect(broker.address, "n01", "one")
        late.acknowledge()
        new.publish(UP1, b"x", 6)
        (await offered.next()).acknowledge()
        assert await new.acknowledged() == 6


async def test_embedded_revoked_password_ends_the_connection_without_its_will() -> None:
    offered = Offered()
    async with offered.embedded(PASSWORDS) as broker:
        node, _code = await connect(broker.address, "n01", "one", will=UP1)
        other, _code = await connect(broker.address, "n02", "two")
        await broker.set_passwords({"n02": ("two",)})
        assert await node.closed()
        assert (await connect(broker.address, "n01", "one"))[1] == 5
        other.publish(UP2, b"marker", 1)
        assert (await offered.next()).payload == b"marker"
        assert broker.counters["disconnected"] == 1


async def test_embedded_disconnect_ends_without_the_will_and_reads_no_further() -> None:
    offered = Offered()
    async with offered.embedded(PASSWORDS) as broker:
        node, _code = await connect(broker.address, "n01", "one", will=UP1)
        node.writer.write(frame(Kind.DISCONNECT))
        node.publish(UP1, b"after", 1)
        assert await node.closed()
        await until(lambda: not broker.sessions)
        assert offered.arrived.empty()


async def test_embedded_node_silent_beyond_its_keepalive_is_ended_with_its_will(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(peer, "_KEEPALIVE_S", (0, 1))
    offered = Offered()
    async with offered.embedded(PASSWORDS) as broker:
        node, _code = await connect(broker.address, "n01", "one", will=UP1, keepalive_s=1)
        assert await node.closed(5.0)
        assert (await offered.next()).payload == b"gone"


async def test_embedded_silent_stranger_is_disconnected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer, "CONNECT_S", 0.2)
    async with Offered().embedded(PASSWORDS) as broker:
        silent = Client(*await asyncio.open_connection(*broker.address))
        assert await silent.closed(1.0)
        assert broker.counters["no_connect_in_time"] == 1


async def test_embedded_strangers_too_many_make_the_oldest_of_them_give_way() -> None:
    async with Offered().embedded(PASSWORDS) as broker:
        crowd = [Client(*await asyncio.open_connection(*broker.address)) for _ in range(65)]
        assert await crowd[0].closed()
        assert broker.counters["too_many_unknown_connections"] == 1
        assert len(broker._unknown) == 64
        for stranger in crowd:
            stranger.writer.transport.abort()
        await until(lambda: not broker._unknown)
        _node, code = await connect(broker.address, "n01", "one")
        assert code == 0


async def test_embedded_rubbish_ends_the_connection_and_is_counted() -> None:
    async with Offered().embedded(PASSWORDS) as broker:
        for rubbish in (
            b"GET / HTTP/1.1\r\n\r\n",
            b"\0\0",
            b"\x10\0",
            b"\x30\x03\0\x01x",
            b"\xf0\0",
        ):
            client = Client(*await asyncio.open_connection(*broker.address))
            client.writer.write(rubbish)
            assert await client.closed()
        assert sum(broker.counters.values()) == 5


async def test_embedded_hostile_node_never_breaks_the_broker() -> None:
    offered = Offered()
    async with offered.embedded(PASSWORDS) as broker:
        for _ in range(200):
            node, code = await connect(broker.address, "n01", "one")
            assert code == 0
            node.writer.write(secrets.token_bytes(300))
            node.writer.write(b"\x3f" + secrets.token_bytes(40))
            node.writer.write(frame(Kind.SUBSCRIBE, secrets.token_bytes(20)))
            node.writer.transport.abort()
        node, _code = await connect(broker.address, "n01", "one")
        node.publish(UP1, b"marker", 3)
        assert await node.acknowledged() == 3


async def test_embedded_packets_cut_anywhere_are_put_together() -> None:
    offered = Offered()
    async with offered.embedded(PASSWORDS) as broker:
        node, _code = await connect(broker.address, "n01", "one")
        body = text(UP1) + b"\0\x09" + bytes(900)  # two bytes of length
        packet = frame(Kind.PUBLISH, body, 2)
        for at in range(0, len(packet), 7):
            node.writer.write(packet[at : at + 7])
            await node.writer.drain()
        assert (await offered.next()).payload == bytes(900)
        assert await node.acknowledged() == 9


async def test_embedded_other_protocol_level_is_answered_so() -> None:
    async with Offered().embedded(PASSWORDS) as broker:
        client = Client(*await asyncio.open_connection(*broker.address))
        client.writer.write(frame(Kind.CONNECT, text("MQTT") + b"\5\2\0\x1e\0" + text("n01")))
        assert await client.next(Kind.CONNACK) == b"\0\1"
        assert await client.closed()


async def test_embedded_silent_sockets_delay_no_newcomer() -> None:
    async with Offered().embedded(PASSWORDS) as broker:
        silent = [await asyncio.open_connection(*broker.address) for _ in range(100)]
        await until(lambda: broker.counters["too_many_unknown_connections"] == 36)
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(peer.CONNECT_S / 2):  # not as long as a silent one may stay
            begin_s = loop.time()
            node, code = await connect(broker.address, "n01", "one")
        assert code == 0 and loop.time() - begin_s < peer.CONNECT_S / 2
        node.publish(UP1, b"x", 7)
        assert await node.acknowledged() == 7
        for _reader, writer in silent:
            writer.close()


async def test_embedded_session_taken_over_again_and_again_is_reported() -> None:
    async with Offered().embedded(PASSWORDS) as broker:
        reported: list[tuple[str, bool]] = []
        broker.on_refused = lambda user, knew: reported.append((user, knew))
        clients = [await connect(broker.address, "n01", "one") for _ in range(9)]
        assert reported == []  # a node with a bad network
        clients += [await connect(broker.address, "n01", "one") for _ in range(41)]
        assert broker.counters["taken_over"] == 49
        assert len(reported) >= 30 and set(reported) == {("n01", True)}
        assert broker.counters["taken_over_too_often"] == len(reported)
