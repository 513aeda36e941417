# SPDX-License-Identifier: MIT
"""Simrun: where the broker is to which simulated nodes connect."""

from __future__ import annotations

import re
import socket
from pathlib import Path

from gateway.api.schema.answers import PictureView
from gateway.commands.client import Client, NoGateway
from tools.errors import UserError

Address = tuple[str, int]
_FORM = re.compile(r"(\[[0-9a-fA-F:]{2,45}\]|[A-Za-z0-9._-]{1,253}):([0-9]{1,5})")
_ANY = ("", "0.0.0.0", "::", "[::]")
_CONNECT_S = 5.0


def parse_broker(text: str) -> Address:
    """HOST:PORT as typed. Raises UserError."""
    match = _FORM.fullmatch(text)
    if match is None or not 1 <= int(match[2]) <= 65535:
        raise UserError(f"--broker {text[:80]!r} must be HOST:PORT, as in --broker 127.0.0.1:1883")
    return match[1].strip("[]"), int(match[2])


def ask_gateway(data_dir: Path, url: str, site: str) -> Address:
    """The broker of the gateway at `url`, or, without one, of the gateway that runs on `data_dir`.
    Raises UserError when none answers, or when it guards another site; ConfigError."""
    try:
        picture = Client(data_dir, url).get("/picture", PictureView, {"kinds": "site,section"})
    except NoGateway as error:
        raise UserError(f"{error}; or name the broker, as in --broker 127.0.0.1:1883") from None
    facts = {(one.kind, one.id): one.value for one in picture.changes}
    sites = [name for kind, name in facts if kind == "site"]
    if sites != [site]:
        raise UserError(
            f"that gateway has the site {', '.join(sites)}, not {site}: give its --config"
        )
    section = facts.get(("section", "broker"))
    if section is None:
        raise UserError("that gateway does not state its broker: give --broker HOST:PORT")
    host, _, port = str(section["address"]).rpartition(":")
    return ("127.0.0.1" if host in _ANY else host.strip("[]")), int(port)


def must_answer(broker: Address) -> None:
    """Raises UserError when nothing listens there."""
    try:
        socket.create_connection(broker, _CONNECT_S).close()
    except OSError as error:
        where = f"{broker[0]}:{broker[1]}"
        raise UserError(
            f"no broker answers at {where} ({error.strerror or error}): start the gateway or the "
            "broker, or give its address, for example --broker 127.0.0.1:1883"
        ) from None
