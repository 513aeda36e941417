# SPDX-License-Identifier: MIT
"""What `groundwatch init` asks, each answer checked on its own. No file is read or written here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

from gateway.config.alarms import is_time_zone
from gateway.config.fields import ID_PATTERN, WebAddress, is_host, is_loopback, is_mail_address
from gateway.config.network import Passphrase
from gateway.console.operators import Operator, Role, new_operator
from tools.errors import UserError

NOTIFY_KINDS = ("none", "ntfy", "webhook", "email")
_NTFY_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,64}")
_HOST_MAX = 64  # bytes of node.json


@dataclass(frozen=True)
class Place:
    """Where on Earth the site's (0, 0) is, WGS 84."""

    latitude: float
    longitude: float


@dataclass(frozen=True)
class Wifi:
    """What nodes join, and the address of the gateway in it. `country`: "" for none."""

    ssid: str
    passphrase: str = field(repr=False)
    address: str
    country: str = ""


@dataclass(frozen=True)
class Notify:
    """One [[connector]]: the lines of its table, and the secret that it names by a file."""

    kind: str
    values: dict[str, str | list[str]] = field(repr=False)
    secret_key: str = ""  # the table's key for the file, "" for a connector without a secret
    secret: str = field(default="", repr=False)


@dataclass(frozen=True)
class Answers:
    """All of a new site."""

    site: str
    place: Place | None
    wifi: Wifi
    time_zone: str
    operator: Operator | None  # None: the folder has operators already
    notify: Notify | None
    broker_port: int = 1883
    console_port: int = 8480


def site_name(text: str) -> str:
    """Raises UserError."""
    if not ID_PATTERN.fullmatch(text):
        raise UserError(f"{text!r} is no site name: 1 to 16 of a-z 0-9 _ -, as in north")
    return text


def place(text: str) -> Place | None:
    """From "48.1374,11.5755"; None for "none". Raises UserError."""
    if text.strip().lower() in ("", "none"):
        return None
    try:
        latitude, longitude = (float(part) for part in text.split(","))
    except ValueError:
        latitude = longitude = float("nan")
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):  # nan compares false
        raise UserError(
            f"{text!r} must be degrees of latitude and longitude, as in 48.1374,11.5755, or none"
        )
    return Place(latitude, longitude)


def ssid(text: str) -> str:
    """IEEE 802.11-2020, 9.4.2.2. Raises UserError."""
    if not text.isprintable() or not 0 < len(text.encode()) <= 32:
        raise UserError("the name of the Wi-Fi must have 1 to 32 bytes, as in groundwatch")
    return text


def wifi_passphrase(text: str) -> str:
    """Raises UserError, which does not show it."""
    if not Passphrase.fits(text) or text != text.strip():
        raise UserError(
            "the passphrase of the Wi-Fi must have 8 to 63 ASCII characters, without a space at "
            "either end"
        )
    return text


def address(text: str, loopback_allowed: bool = False) -> str:
    """Where nodes find the gateway: an IPv4 address or a name. Raises UserError."""
    if not is_host(text) or ":" in text or len(text.encode()) > _HOST_MAX:
        raise UserError(f"{text!r} is no IPv4 address or host name, as in 192.168.4.1")
    if is_loopback(text) and not loopback_allowed:
        raise UserError(
            f"no node reaches {text}: it is this machine's own; give the machine's address in the "
            "Wi-Fi, as in 192.168.4.1"
        )
    try:
        is_none = ip_address(text).is_unspecified or ip_address(text).is_multicast
    except ValueError:
        is_none = False
    if is_none:
        raise UserError(f"{text} is no address of one machine, as 192.168.4.1 is")
    return text


def country(text: str) -> str:
    """ISO 3166-1, or "" for none. Raises UserError."""
    text = text.strip()
    if text.lower() in ("", "none"):
        return ""
    if not re.fullmatch(r"[A-Za-z]{2}", text):
        raise UserError(f"{text!r} is no country: two letters, as in DE, or none")
    return text.upper()


def time_zone(text: str) -> str:
    """Raises UserError."""
    if not is_time_zone(text):
        raise UserError(f"{text!r} is not a known time zone, as Europe/Berlin is")
    return text


def operator(name: str, passphrase: str) -> Operator:
    """The first one may see everything. Raises ConfigError."""
    return new_operator(name, Role.SUPERVISOR, passphrase)


def port(number: int) -> int:
    """Raises UserError."""
    if not 0 < number <= 65_535:
        raise UserError(f"{number} is no port: 1 to 65535")
    return number


def notify_kind(text: str) -> str:
    """Raises UserError."""
    if text not in NOTIFY_KINDS:
        raise UserError(f"{text!r} must be one of {', '.join(NOTIFY_KINDS)}")
    return text


def ntfy(url: str) -> Notify:
    """From the address of a topic, https://ntfy.example.net/TOPIC. Raises UserError."""
    parts = urlsplit(web_address(url))
    root, _, topic = parts.path.rstrip("/").rpartition("/")
    if not _NTFY_TOPIC.fullmatch(topic) or parts.query or parts.fragment:
        raise UserError(
            "the address of an ntfy topic is wanted, as in https://ntfy.example.net/north-fence"
        )
    return Notify("ntfy", {"url": f"{parts.scheme}://{parts.netloc}{root}", "topic": topic})


def webhook(url: str, secret: str) -> Notify:
    """`secret` is shared with the receiver. Raises UserError."""
    return Notify("webhook", {"url": web_address(url)}, "secret_file", secret)


def email(to: str, sender: str, server: str, user: str = "", password: str = "") -> Notify:
    """By STARTTLS on port 587; no user: without authentication. Raises UserError."""
    for text in (to, sender):
        if not is_mail_address(text):
            raise UserError(f"{text!r} is no mail address, as duty@example.net is")
    if not is_host(server):
        raise UserError(f"{server!r} is no mail server, as mail.example.net is")
    values: dict[str, str | list[str]] = {"host": server, "from": sender, "to": [to]}
    if not user:
        return Notify("email", values)
    if not 0 < len(user) <= 256 or not user.isprintable():
        raise UserError("the user of the mail server must be 1 to 256 characters on one line")
    if not password.isascii() or not password.isprintable() or not password.strip():
        raise UserError("the password of the mail server must be one line of ASCII characters")
    return Notify("email", {**values, "username": user}, "password_file", password)


def web_address(text: str) -> str:
    """Raises UserError, which does not show it: it may hold a secret."""
    if not WebAddress.fits(text) or len(text) > 1024:
        raise UserError("that is no web address, as https://example.net/hook is")
    return text
