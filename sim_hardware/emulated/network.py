# SPDX-License-Identifier: MIT
"""The emulated board's network: one access point, one gateway, named ports of this machine.

Frames of the guest end here. A TCP connection to 10.0.0.1 reaches the loopback port that the route
names; every other connection is refused and every other datagram is dropped and counted, so nothing
of the guest leaves the machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum

from rp2040py.external.cyw43 import bus, nat, net
from rp2040py.external.cyw43.chip import Cyw43439
from rp2040py.rp2040 import RP2040

from sim_hardware.emulated.names import NameServer

# The access point that rp2040py emulates; it accepts any passphrase of 8 characters or more.
SSID = "RP2040PY-GUEST"
HOST = "10.0.0.1"
# A broker counts the keepalive by the wall clock (MQTT 3.1.1, 3.1.2.10), and 30 s of a node can be
# minutes of emulation. The longest that MQTT knows is 18 h.
KEEPALIVE_S = 3600
_DNS_PORT, _DHCP_PORT = 53, 67
_NO_NETWORKS = 3  # status of WLC_E_SET_SSID: no access point of that name (cyw43_ctrl.c)


class Wifi(Enum):
    """The state of the radio link."""

    ON = "on"
    OFF = "off"  # the access point is gone: joined boards lose it, others do not find it
    SILENT = "silent"  # joined, and no frame passes in either direction
    NO_DHCP = "no_dhcp"  # joined, and no address is given


@dataclass
class Traffic:
    """What the network did since the program started."""

    tcp_opened: int = 0
    tcp_refused: int = 0
    dns_queries: int = 0
    datagrams_dropped: int = 0
    frames_dropped: int = 0


@dataclass
class Air:
    """State that persists through a power cut of the board: link, name server, routes, counters.

    `routes` maps a port of 10.0.0.1 to a loopback address and port.
    """

    routes: Mapping[int, tuple[str, int]]
    names: NameServer
    wifi: Wifi
    traffic: Traffic


class Network:
    """Connects one board's radio to this machine. `later(delay_us, action)` is emulated time."""

    def __init__(
        self,
        mcu: RP2040,
        radio: Cyw43439,
        air: Air,
        later: Callable[[int, Callable[[], None]], None],
    ) -> None:
        self._bus = radio.bus
        self._air = air
        self._later = later
        self._is_joined = False
        self._arp = nat.ArpResponder()
        self._dhcp = nat.DhcpServer()
        self._tcp = nat.TcpReflector(mcu, self._to_guest, connect_fn=self._connect)
        self._join = radio.bus._queue_join_events
        # rp2040py looks both up on the instance (its version is pinned in pyproject.toml).
        radio.bus.nat_bridge = self  # type: ignore[assignment]  # it has the same two methods
        radio.bus._queue_join_events = self._on_join  # type: ignore[method-assign]  # a hook

    def handle_outbound_ethernet_frame(self, frame: bytes) -> None:
        """One frame of the guest; called by rp2040py from inside an instruction."""
        if self._air.wifi in (Wifi.OFF, Wifi.SILENT):
            self._air.traffic.frames_dropped += 1
            return
        eth = net.parse_ethernet(frame)
        if eth is None:
            return
        if eth.ethertype == net.ETHERTYPE_ARP:
            if (reply := self._arp.maybe_handle(eth)) is not None:
                self._to_guest(reply)
            return
        ip = net.parse_ipv4(eth.payload) if eth.ethertype == net.ETHERTYPE_IPV4 else None
        if ip is None:
            return
        if ip.proto == net.IP_PROTO_UDP:
            self._datagram(eth, ip)
        elif ip.proto == net.IP_PROTO_TCP:
            self._segment(eth, ip)

    def reset(self) -> None:
        """The guest left the access point, or was reset: its connections are closed."""
        self._is_joined = False
        self._tcp.reset()

    def follow(self) -> None:
        """Follow a link state that has changed: a joined board loses its access point."""
        if self._air.wifi is Wifi.OFF and self._is_joined:
            self.reset()
            self._bus._queue_disassoc_events()

    def _on_join(self) -> None:
        if self._air.wifi is Wifi.OFF:
            event = self._bus._build_async_event(bus.CYW43_EV_SET_SSID, _NO_NETWORKS, flags=0)
            self._bus.queue_rx_packet(event)
            return
        self._is_joined = True
        self._join()

    def _to_guest(self, frame: bytes) -> None:
        if self._air.wifi in (Wifi.OFF, Wifi.SILENT):
            self._air.traffic.frames_dropped += 1
        else:
            self._bus.queue_rx_ethernet_frame(frame)

    def _datagram(self, eth: net.EthernetFrame, ip: net.Ipv4Packet) -> None:
        udp = net.parse_udp(ip.payload)
        if udp is None:
            return
        if udp.dst_port == _DHCP_PORT:
            reply = None if self._air.wifi is Wifi.NO_DHCP else self._dhcp.maybe_handle(eth)
            if reply is not None:
                self._to_guest(reply)
        elif udp.dst_port == _DNS_PORT and ip.dst_ip == nat.GATEWAY_IP:
            self._air.traffic.dns_queries += 1
            self._resolve(eth, ip, udp)
        else:
            self._air.traffic.datagrams_dropped += 1

    def _resolve(self, eth: net.EthernetFrame, ip: net.Ipv4Packet, udp: net.UdpDatagram) -> None:
        answer = self._air.names.reply(udp.payload, nat.GATEWAY_IP)
        if answer is None:
            return
        segment = net.pack_udp(nat.GATEWAY_IP, ip.src_ip, _DNS_PORT, udp.src_port, answer)
        packet = net.pack_ipv4(nat.GATEWAY_IP, ip.src_ip, net.IP_PROTO_UDP, segment)
        frame = net.pack_ethernet(eth.src_mac, nat.GATEWAY_MAC, net.ETHERTYPE_IPV4, packet)
        self._later(self._air.names.delay_ms * 1000, lambda: self._to_guest(frame))

    def _segment(self, eth: net.EthernetFrame, ip: net.Ipv4Packet) -> None:
        tcp = net.parse_tcp(ip.payload)
        if tcp is not None and tcp.flags & (net.TCP_SYN | net.TCP_ACK) == net.TCP_SYN:
            # A guest that started again reuses its ports: an old connection must not take this one.
            key = nat.TcpFlowKey(tcp.src_port, ip.dst_ip, tcp.dst_port)
            flow = self._tcp._flows.get(key)
            if flow is not None and flow.guest_iss != tcp.seq:
                if flow.pump_task is not None:
                    flow.pump_task.cancel()
                if flow.writer is not None:
                    flow.writer.close()
                del self._tcp._flows[key]
        self._tcp.maybe_handle(eth, ip)

    async def _connect(
        self, host: str, port: int
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        route = self._air.routes.get(port) if host == HOST else None
        try:
            if route is None:
                raise ConnectionRefusedError(f"no route to {host}:{port}")
            reader, writer = await asyncio.open_connection(*route)
        except OSError:
            self._air.traffic.tcp_refused += 1
            raise
        self._air.traffic.tcp_opened += 1
        relay_from_guest(writer)
        return reader, writer


def relay_from_guest(writer: asyncio.StreamWriter) -> None:
    """What a guest sends and ends is passed on; rp2040py calls both methods inside an instruction,
    where an exception would end the emulation."""
    relay, half_close = writer.write, writer.write_eof

    def write_first(data: bytes) -> None:
        relay(with_patient_keepalive(data))
        writer.write = relay  # type: ignore[method-assign]  # from the second on

    def end() -> None:
        # The other side has reset the connection: its reader passes that on to the guest.
        with suppress(OSError):
            half_close()

    writer.write = write_first  # type: ignore[method-assign,assignment]  # bytes only
    writer.write_eof = end  # type: ignore[method-assign]  # it may fail


def with_patient_keepalive(first: bytes) -> bytes:
    """An MQTT CONNECT with the keepalive KEEPALIVE_S; anything else unchanged."""
    body = 1 + next((i for i, octet in enumerate(first[1:5], 1) if octet < 0x80), len(first))
    at = body + 8  # after the protocol's name (6 bytes), its level and the flags
    if first[:1] != b"\x10" or first[body : body + 6] != b"\0\4MQTT" or len(first) < at + 2:
        return first
    return first[:at] + KEEPALIVE_S.to_bytes(2, "big") + first[at + 2 :]
