# SPDX-License-Identifier: MIT
"""`groundwatch init`: five questions, and a folder from which a gateway starts."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from tools.errors import UserError
from tools.init import answers, change, files
from tools.init.questions import Given, Questions
from tools.prompts import Prompts, secret_in

# Option -> what it is for. Each is a field of Given.
_OPTIONS = {
    "site": "1. name of the site, 1 to 16 of a-z 0-9 _ -",
    "place": "   latitude,longitude of its (0, 0), or none; --place=-33.9,18.4",
    "wifi": "2. name (SSID) of the Wi-Fi that nodes join",
    "address": "   address or name of this machine in that Wi-Fi",
    "country": "   whose radio rules the nodes keep, as in DE (default: of the time zone)",
    "time_zone": "3. of the site, as in Europe/Berlin (default: of this machine)",
    "operator": "4. name of the first operator",
    "notify_to": "   address of an ntfy topic, a webhook, or a mail address",
    "mail_server": "   host that takes mail",
    "mail_from": "   mail address of the sender",
    "mail_user": "   user at the mail server, or none",
    "release_key": "public key of firmware releases, as in release.pub (second run only)",
}
_SECRETS = {
    "wifi_passphrase_file": "   file with the passphrase of the Wi-Fi; - is standard input",
    "passphrase_file": "   file with the passphrase of the operator",
    "notify_secret_file": "   file with the secret of the webhook or the mail server",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `groundwatch init`."""
    parser.add_argument(
        "folder", type=Path, nargs="?", default=Path(), help="of the site (default: this one)"
    )
    parser.add_argument("--yes", action="store_true", help="ask nothing: take defaults")
    parser.add_argument("--json", action="store_true", help="print what was written as JSON")
    for name, what in _OPTIONS.items():
        parser.add_argument(_flag(name), help=what)
    parser.add_argument("--notify", choices=answers.NOTIFY_KINDS, help="5. notifications")
    for name, what in _SECRETS.items():
        parser.add_argument(_flag(name), type=Path, metavar="FILE", help=what)
    parser.add_argument("--broker-port", type=int, help="of MQTT (default: 1883, or a free one)")
    parser.add_argument("--console-port", type=int, help="(default: 8480, or a free one)")


def run(args: argparse.Namespace) -> int:
    """0 when done. Raises UserError, ConfigError; then nothing was written."""
    questions = Questions(_given(args), None if args.yes else Prompts())
    if (args.folder / files.GATEWAY).exists():
        return _again(args, questions)
    if questions.given.release_key is not None:
        raise UserError("make the site first, then: groundwatch init --release-key release.pub")
    wanted = questions.new_site(args.folder)
    done = files.write(args.folder, wanted)
    result = {
        "folder": str(args.folder.resolve()),
        "written": list(done.written),
        "kept": list(done.kept),
        **change.facts(args.folder),
        "time_zone": wanted.time_zone,
        "broker_port": wanted.broker_port,
        "console_port": wanted.console_port,
        **questions.generated,
    }
    print(json.dumps(result) if args.json else _report(result))
    return 0


def _again(args: argparse.Namespace, questions: Questions) -> int:
    """The folder has a site: report it, and change what the options name."""
    wanted = change.plan(args.folder, questions)
    if wanted.lines:
        for line in wanted.lines:
            print(line, file=sys.stderr)
        prompts = questions.prompts
        if prompts is not None and not prompts.agrees("change this?"):
            raise UserError("nothing was changed (--yes agrees without a question)")
        change.apply(args.folder, wanted)
    result = {
        "folder": str(args.folder.resolve()),
        "changed": list(wanted.lines),
        **change.facts(args.folder),
        **questions.generated,
    }
    print(json.dumps(result) if args.json else _state(result))
    return 0


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


def _given(args: argparse.Namespace) -> Given:
    """Raises UserError, ConfigError: a file of a secret cannot be read."""
    values = {name: getattr(args, name) for name in _OPTIONS}
    secrets = {
        name: None if path is None else secret_in(path)
        for name in _SECRETS
        for path in [getattr(args, name)]
    }
    return Given(
        **values,
        notify=args.notify,
        wifi_passphrase=secrets["wifi_passphrase_file"],
        operator_passphrase=secrets["passphrase_file"],
        notify_secret=secrets["notify_secret_file"],
        broker_port=args.broker_port,
        console_port=args.console_port,
    )


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
