# SPDX-License-Identifier: MIT
"""`groundwatch init`: five questions, and a folder from which a gateway starts."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from gateway.commands.options import PATH, json_option
from tools.errors import UserError
from tools.init import answers, change, files
from tools.init.questions import Given, Questions
from tools.prompts import Prompts, secret_in

# Option -> its help. Each is a field of Given.
_OPTIONS = {
    "site": "1. name of the site, 1 to 16 of a-z 0-9 _ -",
    "place": "latitude,longitude of its (0, 0), or none; --place=-33.9,18.4",
    "wifi": "2. name (SSID) of the Wi-Fi that nodes join",
    "address": "address or name of this machine in that Wi-Fi",
    "country": "country of the radio rules, as in DE  [default: of the time zone]",
    "time_zone": "3. of the site, as in Europe/Berlin  [default: of this machine]",
    "operator": "4. name of the first operator",
    "notify_to": "address of an ntfy topic, a webhook, or a mail address",
    "mail_server": "host of the mail server",
    "mail_from": "mail address of the sender",
    "mail_user": "user at the mail server, or none",
    "release_key": "public key of firmware releases, as in release.pub (second run only)",
}
# Option -> field of Given, and help.
_SECRETS = {
    "wifi_passphrase_file": (
        "wifi_passphrase",
        "file with the passphrase of the Wi-Fi; - is standard input",
    ),
    "passphrase_file": ("operator_passphrase", "file with the passphrase of the operator"),
    "notify_secret_file": (
        "notify_secret",
        "file with the secret of the webhook or the mail server",
    ),
}


def _question_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options of the two tables, in their order."""
    for name, (_field, text) in reversed(_SECRETS.items()):
        command = click.option(_flag(name), type=PATH, metavar="FILE", help=text)(command)
    for name, text in reversed(_OPTIONS.items()):
        command = click.option(_flag(name), help=text)(command)
    return command


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


@click.command()
@click.argument("folder", type=PATH, default=Path())
@click.option("--yes", is_flag=True, help="ask nothing: take defaults")
@json_option("print what was written as JSON")
@_question_options
@click.option("--notify", type=click.Choice(answers.NOTIFY_KINDS), help="5. notifications")
@click.option("--broker-port", type=int, help="of MQTT  [default: 1883, or a free one]")
@click.option("--console-port", type=int, help="of the console  [default: 8480, or a free one]")
def init(folder: Path, yes: bool, as_json: bool, **options: Any) -> None:
    """Raises UserError, ConfigError; then nothing was written."""
    questions = Questions(_given(options), None if yes else Prompts())
    if (folder / files.GATEWAY).exists():
        _again(folder, questions, as_json)
        return
    if questions.given.release_key is not None:
        raise UserError("make the site first, then: groundwatch init --release-key release.pub")
    wanted = questions.new_site(folder)
    done = files.write(folder, wanted)
    result = {
        "folder": str(folder.resolve()),
        "written": list(done.written),
        "kept": list(done.kept),
        **change.facts(folder),
        "time_zone": wanted.time_zone,
        "broker_port": wanted.broker_port,
        "console_port": wanted.console_port,
        **questions.generated,
    }
    print(json.dumps(result) if as_json else _report(result))


def _again(folder: Path, questions: Questions, as_json: bool) -> None:
    """The folder has a site: report it, and change what the options name."""
    wanted = change.plan(folder, questions)
    if wanted.lines:
        for line in wanted.lines:
            print(line, file=sys.stderr)
        prompts = questions.prompts
        if prompts is not None and not prompts.agrees("change this?"):
            raise UserError("nothing was changed (--yes agrees without a question)")
        change.apply(folder, wanted)
    result = {
        "folder": str(folder.resolve()),
        "changed": list(wanted.lines),
        **change.facts(folder),
        **questions.generated,
    }
    print(json.dumps(result) if as_json else _state(result))


def _report(result: dict[str, Any]) -> str:
    lines = [f"wrote {', '.join(result['written'])} in {result['folder']}"]
    if result["kept"]:
        lines.append(f"kept {', '.join(result['kept'])}")
    lines.append(
        f"site {result['site']}: nodes join the Wi-Fi {result['wifi']!r} and find the gateway at "
        f"{result['address']}:{result['broker_port']}"
    )
    lines += _generated(result)
    key = next((name for name in result["written"] if name.endswith(files.FLEET_KEY)), "")
    if key:
        lines.append(f"keep a copy of {key} offline: without it every node must be flashed again")
    lines.append(f"next: cd {result['folder']}, then groundwatch gateway run")
    return "\n".join(lines)


def _state(result: dict[str, Any]) -> str:
    facts = [f"{len(result['nodes'])} nodes", f"Wi-Fi {result['wifi']!r}"]
    facts += [f"address {result['address']}", f"operators: {', '.join(result['operators'])}"]
    lines = [f"{result['folder']} holds the site {result['site']}: {', '.join(facts)}"]
    lines += _generated(result)
    if not result["changed"]:
        return "\n".join([*lines, "nothing was changed"])
    if any("[nodes]" in line or files.WIFI_SECRET in line for line in result["changed"]):
        lines.append("nodes keep what they have until: groundwatch node flash NODE")
    return "\n".join([*lines, "changed; a running gateway reads it at its next start"])


def _generated(result: dict[str, Any]) -> list[str]:
    """Secrets that were made up, shown once."""
    lines = []
    if secret := result.get("wifi_passphrase"):
        lines.append(f"passphrase of the Wi-Fi: {secret}  (give it to the access point)")
    if secret := result.get("operator_passphrase"):
        name = result["operators"][0]
        lines.append(f"passphrase of {name}: {secret}  (shown only now)")
    return lines


def _given(options: dict[str, Any]) -> Given:
    """Raises UserError, ConfigError: a file of a secret cannot be read."""
    for name, (field, _text) in _SECRETS.items():
        path = options.pop(name)
        options[field] = None if path is None else secret_in(path)
    return Given(**options)
