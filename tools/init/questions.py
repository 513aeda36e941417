# SPDX-License-Identifier: MIT
"""The five questions: options answer some, defaults or a person the others."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from gateway.config.site import load_site
from gateway.console.operators import Operator, load_operators, plain_name
from gateway.errors import ConfigError
from gateway.terminal import login_name
from tools.errors import UserError
from tools.init import answers, files, machine
from tools.init.answers import Answers, Notify, Wifi
from tools.prompts import Prompts, generated

_T = TypeVar("_T")


@dataclass(frozen=True)
class Given:
    """What the command line gives; None: nothing."""

    site: str | None = None
    place: str | None = None
    wifi: str | None = None
    wifi_passphrase: str | None = field(default=None, repr=False)
    address: str | None = None
    country: str | None = None
    time_zone: str | None = None
    operator: str | None = None
    operator_passphrase: str | None = field(default=None, repr=False)
    notify: str | None = None
    notify_to: str | None = field(default=None, repr=False)
    mail_server: str | None = None
    mail_from: str | None = None
    mail_user: str | None = None
    notify_secret: str | None = field(default=None, repr=False)
    broker_port: int | None = None
    console_port: int | None = None
    release_key: str | None = None


@dataclass
class Questions:
    """`prompts` is None with --yes. `generated` holds the secrets that were made up."""

    given: Given
    prompts: Prompts | None
    generated: dict[str, str] = field(default_factory=dict, repr=False)

    def new_site(self, folder: Path) -> Answers:
        """All answers; what the folder has already is not asked. Raises UserError, ConfigError."""
        given = self.given
        name, place = self._site(folder)
        wifi, zone = self._wifi(folder)
        return Answers(
            site=name,
            place=place,
            wifi=wifi,
            time_zone=zone,
            operator=self._operator(folder),
            notify=self.notify(),
            broker_port=_port(given.broker_port, 1883, "0.0.0.0"),
            console_port=_port(given.console_port, 8480, "127.0.0.1"),
        )

    def _site(self, folder: Path) -> tuple[str, answers.Place | None]:
        path = folder / files.SITE
        if path.exists():
            known = load_site(path)
            if self.given.site not in (None, known.name):
                raise UserError(f"{path} is of the site {known.name}: leave --site out")
            return known.name, None
        name = self._answer(
            self.given.site, "1. name of the site", _name_from(folder), answers.site_name
        )
        place = self._answer(
            self.given.place,
            "   where on Earth it is: latitude,longitude or none",
            "none",
            answers.place,
        )
        return name, place

    def _wifi(self, folder: Path) -> tuple[Wifi, str]:
        given = self.given
        name = self._answer(
            given.wifi,
            "2. name (SSID) of the Wi-Fi that the nodes join",
            "groundwatch",
            answers.ssid,
        )
        passphrase = files.known_wifi_passphrase(folder) or self.wifi_passphrase(name)
        known = machine.lan_addresses()
        if len(known) > 1 and given.address is None and self.prompts is not None:
            name_of_others = f" (this machine also has {', '.join(known[1:6])})"
        else:
            name_of_others = ""
        address = self._answer(
            given.address,
            f"   address of this machine in that Wi-Fi{name_of_others}",
            known[0] if known else "",
            self.address,
            "--address 192.168.4.1: this machine is in no network yet",
        )
        zone = self._answer(
            given.time_zone, "3. time zone", machine.system_time_zone(), answers.time_zone
        )
        country = answers.country(
            machine.country_of(zone) if given.country is None else given.country
        )
        return Wifi(name, passphrase, address, country), zone

    def wifi_passphrase(self, name: str) -> str:
        """Of the Wi-Fi of this name. Raises UserError."""
        question = f"   passphrase of the Wi-Fi {name}, 8 to 63 characters"
        given = self.given.wifi_passphrase
        return self._secret(given, "wifi_passphrase", question, answers.wifi_passphrase)

    def address(self, text: str) -> str:
        """Loopback only where the command line asks for it. Raises UserError."""
        return answers.address(text, loopback_allowed=text == self.given.address)

    def _operator(self, folder: Path) -> Operator | None:
        path, given = folder / files.OPERATORS, self.given
        if path.exists() and load_operators(path):
            return None
        name = self._answer(given.operator, "4. name of the first operator", _login(), plain_name)
        return self._secret(
            given.operator_passphrase,
            "operator_passphrase",
            f"   passphrase of {name}, 8 characters or more",
            lambda text: answers.operator(name, text),
        )

    def notify(self) -> Notify | None:
        """Raises UserError."""
        given = self.given
        shown = "5. notifications: none, ntfy, webhook or email"
        kind = self._answer(given.notify, shown, "none", answers.notify_kind)
        if kind == "none":
            return None
        where = {
            "ntfy": "   address of the ntfy topic, as in https://ntfy.example.net/north-fence",
            "webhook": "   address that alarms are sent to",
            "email": "   mail address that alarms are sent to",
        }[kind]
        plain = answers.web_address if kind != "email" else str
        to = self._answer(given.notify_to, where, "", plain, "--notify-to ADDRESS")
        if kind == "ntfy":
            return answers.ntfy(to)
        if kind == "webhook":
            secret = given.notify_secret or generated()
            return answers.webhook(to, secret)
        server = self._answer(given.mail_server, "   mail server", "", str, "--mail-server HOST")
        sender = self._answer(given.mail_from, "   mail address of the sender", to, str)
        user = self._answer(given.mail_user, "   user at the mail server, or none", "none", str)
        if user == "none":
            return answers.email(to, sender, server)
        if given.notify_secret is None and self.prompts is None:
            raise UserError("add --notify-secret-file FILE: the password of the mail server")
        password = given.notify_secret or self._secret(None, "", f"   password of {user}", str)
        return answers.email(to, sender, server, user, password)

    def _answer(
        self,
        given: str | None,
        question: str,
        default: str,
        check: Callable[[str], _T],
        missing: str = "",
    ) -> _T:
        if given is not None:
            return check(given)
        if self.prompts is not None:
            return self.prompts.ask(question, default, check)
        if missing and not default:
            raise UserError(f"there is no default: add {missing}")
        return check(default)

    def _secret(
        self, given: str | None, name: str, question: str, check: Callable[[str], _T]
    ) -> _T:
        if given is not None:
            return check(given)
        if self.prompts is not None:
            return self.prompts.secret(question, check)
        self.generated[name] = generated()
        return check(self.generated[name])


def _port(given: int | None, usual: int, host: str) -> int:
    return answers.port(machine.free_port(usual, host) if given is None else given)


def _name_from(folder: Path) -> str:
    """The folder's name, as far as it can name a site."""
    plain = re.sub(r"[^a-z0-9_-]+", "-", folder.resolve().name.lower()).strip("-")[:16]
    return plain or "site"


def _login() -> str:
    try:
        return plain_name(login_name())
    except ConfigError:
        return "operator"
