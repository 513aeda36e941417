# SPDX-License-Identifier: MIT
"""What this machine knows by itself: its addresses in networks, its time zone, free ports."""

from __future__ import annotations

import os
import socket
import struct
import sys
from importlib import resources
from ipaddress import IPv4Address
from pathlib import Path

from gateway.config.alarms import is_time_zone

_SIOCGIFADDR = 0x8915  # linux/sockios.h
# Bridges of virtual machines and containers: no node is behind them.
_VIRTUAL = ("lo", "docker", "br-", "veth", "virbr", "cni", "flannel", "tun", "wg")
_TABLE = "zone.tab"  # of the time zone database: country, place, zone


def lan_addresses() -> list[str]:
    """IPv4 addresses under which others can reach this machine, the likeliest first."""
    found = [_towards_everywhere(), *_of_interfaces(), *_of_name()]
    return [text for text in dict.fromkeys(found) if text and _is_lan(text)]


def system_time_zone(root: Path = Path("/etc")) -> str:
    """By its IANA name; UTC where the system does not name one."""
    candidates = [os.environ.get("TZ", "").lstrip(":")]
    try:
        candidates.append(os.path.realpath(root / "localtime").partition("zoneinfo/")[2])
        candidates.append((root / "timezone").read_text()[:100].strip())
    except (OSError, UnicodeDecodeError):
        pass
    return next((name for name in candidates if name and is_time_zone(name)), "UTC")


def country_of(zone: str) -> str:
    """The country that a time zone is of (ISO 3166-1); "" where it is of none or of several."""
    try:
        table = resources.files("tzdata").joinpath("zoneinfo").joinpath(_TABLE).read_text()
    except (OSError, ModuleNotFoundError):
        return ""
    rows = [line.split("\t") for line in table.splitlines() if not line.startswith("#")]
    found = {row[0] for row in rows if len(row) > 2 and row[2] == zone}
    return found.pop() if len(found) == 1 else ""


def free_port(first: int, host: str, tries: int = 20) -> int:
    """`first`, or the next port on which nothing listens."""
    for port in range(first, first + tries):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    return first


def _towards_everywhere() -> str:
    """The address of the default route. Nothing is sent: a datagram socket only looks it up."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1, RFC 5737
            return str(probe.getsockname()[0])
        except OSError:
            return ""


def _of_interfaces() -> list[str]:
    if not sys.platform.startswith("linux"):
        return []
    import fcntl

    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _index, name in socket.if_nameindex():
            if name.startswith(_VIRTUAL):
                continue
            try:
                answer = fcntl.ioctl(probe, _SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
            except OSError:
                continue  # it has no IPv4 address
            found.append(socket.inet_ntoa(answer[20:24]))
    return found


def _of_name() -> list[str]:
    try:
        return socket.gethostbyname_ex(socket.gethostname())[2]
    except OSError:
        return []


def _is_lan(text: str) -> bool:
    one = IPv4Address(text)
    return not (one.is_loopback or one.is_unspecified or one.is_link_local or one.is_multicast)
