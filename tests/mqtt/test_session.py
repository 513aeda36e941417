# SPDX-License-Identifier: MIT
"""Our session on paho, against real brokers by every transport, and against hostile ones."""

from __future__ import annotations

import asyncio
import getpass
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import uvloop

from gateway.broker.mosquitto import hash_password
from gateway.mqtt import session as session_module
from gateway.mqtt.session import BrokerRefused, MqttAccess, MqttSession, Will
from tests.connectors.authority import Authority
from tests.gateway.brokers import running_mosquitto, until_listening
from tests.mqtt.sessions import FROM, UP, Taken, opened, sender
from tests.ports import free_port


@dataclass
class Brokers:
    """One mosquitto, a port for each transport, all at once."""

    folder: Path
    authority: Authority
    ports: dict[str, int] = field(default_factory=dict)

    def access(self, transport: str, version: Any = 3, name: str = "gateway") -> MqttAccess:
        is_tls = transport in ("tls", "wss", "client certificate")
        tls = ssl.create_default_context(cafile=str(self.authority.ca)) if is_tls else None
        if tls is not None and transport == "client certificate":
            tls.load_cert_chain(*self.authority.give("gateway"))
        return MqttAccess(
            "127.0.0.1",
            self.ports[transport],
            "gateway" if transport == "password" else None,
            "right" if transport == "password" else None,
            name,
            persistent=False,
            tls=tls,
            transport="websockets" if transport in ("ws", "wss") else "tcp",
            version=version,
        )


TRANSPORTS = ("tcp", "tls", "ws", "wss", "client certificate", "password")


@asynccontextmanager
async def running_brokers(tmp_path: Path) -> AsyncIterator[Brokers]:
    found = Brokers(tmp_path, Authority(tmp_path))
    found.ports = {transport: free_port() for transport in TRANSPORTS}
    certificate, key = found.authority.give("127.0.0.1")
    tls = f"certfile {certificate}\nkeyfile {key}\n"
    (tmp_path / "pw").write_text(f"gateway:{hash_password('right')}\n")
    more = f"user {getpass.getuser()}\n"
    first = "per_listener_settings true\n"
    for transport, lines in (
        ("tls", tls),
        ("ws", "protocol websockets\n"),
        ("wss", f"protocol websockets\n{tls}"),
        ("client certificate", f"{tls}cafile {found.authority.ca}\nrequire_certificate true\n"),
        ("password", f"password_file {tmp_path}/pw\n"),
    ):
        anonymous = "false" if transport == "password" else "true"
        more += f"listener {found.ports[transport]} 127.0.0.1\nallow_anonymous {anonymous}\n{lines}"
    async with running_mosquitto(tmp_path, found.ports["tcp"], more=more, first=first):
        for port in found.ports.values():
            await until_listening(port)
        yield found


@pytest.fixture
async def brokers(tmp_path: Path) -> AsyncIterator[Brokers]:
    async with running_brokers(tmp_path) as found:
        yield found


async def carry(access: MqttAccess) -> None:
    taken = Taken()
    async with opened(taken.on(access)), opened(sender(access)) as other:
        sent = [b"%d" % number + bytes(1500) for number in range(60)]
        await asyncio.gather(*(other.deliver(FROM, payload) for payload in sent))
        assert other.publish(FROM, b"qos 0")
        arrived = [await taken.next() for _ in range(61)]
        assert [payload for _topic, payload, _id, _retained in arrived] == [*sent, b"qos 0"]
        assert arrived[-1] == (FROM, b"qos 0", 0, False)


@pytest.mark.parametrize("version", [3, 5])
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_session_by_every_transport_carries_messages_both_ways(
    transport: str, version: int, brokers: Brokers
) -> None:
    await carry(brokers.access(transport, version))


def test_session_in_the_loop_that_the_gateway_uses_carries_messages(tmp_path: Path) -> None:
    async def every_transport() -> None:
        async with running_brokers(tmp_path) as brokers:
            for transport in TRANSPORTS:
                await carry(brokers.access(transport, 5))

    uvloop.run(every_transport())


@pytest.mark.parametrize("version", [3, 5])
async def test_session_message_retained_is_marked_for_a_late_subscriber(
    version: int, brokers: Brokers
) -> None:
    access, taken = brokers.access("tcp", version), Taken()
    async with opened(sender(access)) as other:
        await other.deliver(FROM, b"kept", retain=True)
    async with opened(taken.on(access)):
        topic, payload, _packet_id, retained = await taken.next()
        assert (topic, payload, retained) == (FROM, b"kept", True)


@pytest.mark.parametrize("version", [3, 5])
async def test_session_persistent_brings_again_what_was_not_acknowledged(
    version: int, brokers: Brokers
) -> None:
    access = replace(brokers.access("tcp", version), persistent=True)
    taken = Taken(late=True)
    async with opened(taken.on(access)), opened(sender(access)) as other:
        await other.deliver(FROM, b"once")
        await taken.next()
    taken.late = False
    async with opened(taken.on(access)), opened(sender(access)) as other:
        assert (await taken.next())[1] == b"once"
        await other.deliver(FROM, b"after")
        assert (await taken.next())[1] == b"after"


async def test_session_will_is_published_after_a_break_and_not_after_close(
    brokers: Brokers,
) -> None:
    access, taken = brokers.access("tcp"), Taken()
    async with opened(taken.on(access)):
        for clean in (True, False):
            other = sender(access, Will(FROM, b"gone"))
            await other.open()
            if clean:
                other.publish(FROM, b"goodbye")
                other.close()
            else:
                assert other._stream is not None
                other._client.connected.close()
        assert [(await taken.next())[1] for _ in range(2)] == [b"goodbye", b"gone"]


@pytest.mark.parametrize("version", [3, 5])
async def test_session_wrong_password_is_refused_with_the_code_of_the_standard(
    version: int, brokers: Brokers
) -> None:
    access = replace(brokers.access("password", version), password="wrong")
    with pytest.raises(BrokerRefused) as error:
        await sender(access).open()
    assert error.value.code in (4, 5)
    assert "wrong" not in repr(access) + str(error.value)


async def test_session_certificate_of_another_host_or_authority_is_refused(
    brokers: Brokers, tmp_path: Path
) -> None:
    access = brokers.access("tls")
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        await sender(replace(access, host="localhost")).open()
    stranger = ssl.create_default_context(cafile=str(Authority(tmp_path, "other").ca))
    for transport in ("tls", "wss"):
        with pytest.raises(ssl.SSLCertVerificationError):
            await sender(replace(brokers.access(transport), tls=stranger)).open()


def test_access_with_a_context_that_checks_no_host_is_refused() -> None:
    careless = ssl.create_default_context()
    careless.check_hostname = False
    with pytest.raises(ValueError, match="never used"):
        MqttAccess("127.0.0.1", 8883, None, None, "gateway", False, careless)


async def test_session_without_the_certificate_that_is_wanted_reports_it(
    brokers: Brokers,
) -> None:
    access = replace(brokers.access("client certificate"), tls=brokers.access("tls").tls)
    with pytest.raises(OSError, match="(?i)certificate|closed|reset|EOF"):
        await sender(access).open()


@pytest.mark.parametrize("host", ["no-such-host.invalid", "", "a..b", "x" * 300])
async def test_session_host_that_cannot_be_found_is_an_os_error(host: str) -> None:
    with pytest.raises(OSError):
        await sender(MqttAccess(host or " ", 1883, None, None, "gateway", False)).open()


async def test_session_too_big_message_is_counted_acknowledged_and_passed_over(
    brokers: Brokers,
) -> None:
    access, taken = brokers.access("tcp"), Taken()
    async with opened(taken.on(access)), opened(sender(access)) as other:
        for number in range(40):  # more than the broker leaves unacknowledged
            await other.deliver(FROM, bytes(3000 + 997 * number))
        await other.deliver(FROM, b"next")
        assert (await taken.next())[1] == b"next"
        assert taken.counters == {"too_big": 40}


async def test_session_paused_takes_nothing_and_goes_on_where_it_stopped(
    brokers: Brokers,
) -> None:
    access, taken = brokers.access("wss"), Taken()
    async with opened(taken.on(access)) as session, opened(sender(access)) as other:
        session.pause()
        for number in range(15):
            await other.deliver(FROM, b"%d" % number)
        assert taken.messages.empty()
        session.resume()
        assert [(await taken.next())[1] for _ in range(15)] == [b"%d" % n for n in range(15)]


async def test_session_paused_for_longer_than_the_keep_alive_stays_connected(
    brokers: Brokers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.mqtt.connect.KEEPALIVE_S", 1)
    monkeypatch.setattr(session_module, "_MISC_S", 0.2)
    access, taken = brokers.access("tcp"), Taken()
    async with opened(taken.on(access)) as session, opened(sender(access)) as other:
        session.pause()
        await other.deliver(FROM, b"waits")
        # Three times the second after which the broker would end a silent connection.
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(4.5):
                await session.closed.wait()
        session.resume()
        assert (await taken.next())[1] == b"waits"
        assert not session.closed.is_set()


async def test_session_closed_inside_take_ends_without_a_deadlock(brokers: Brokers) -> None:
    access, closed = brokers.access("tcp"), asyncio.Event()

    def take(*_message: Any) -> None:
        session.close()
        closed.set()

    session = MqttSession(access, [UP], take, Counter())
    await session.open()
    async with opened(sender(access)) as other:
        await other.deliver(FROM, b"x")
        async with asyncio.timeout(5):
            await closed.wait()
    assert session.problem == "closed by us"
    assert not session.publish(FROM, b"late")
