# SPDX-License-Identifier: MIT
"""The front desk: `groundwatch VERB`, each verb a module imported only when it is asked for."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import NoReturn, Protocol

from tools import extras
from tools.errors import UserError

EXIT_OK = 0
EXIT_USER_ERROR = 2
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells report it


class VerbModule(Protocol):
    """What a verb's module offers."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the verb's options."""

    def run(self, args: argparse.Namespace) -> int:
        """Do the work and return the exit status."""


@dataclass(frozen=True)
class Verb:
    """One line of the help and where its code is."""

    name: str
    module: str
    help: str
    example: str


VERBS = (
    Verb(
        "demo",
        "tools.demo",
        "run a gateway, its console and eight simulated nodes on this machine",
        "groundwatch demo --seconds 60 --json",
    ),
    Verb(
        "init",
        "tools.init.cli",
        "make the folder of a new site: five questions, then a gateway can start",
        "groundwatch init",
    ),
    Verb(
        "gateway",
        "gateway.commands.gateway",
        "run the gateway and the operator's console",
        "groundwatch gateway --config gateway.toml",
    ),
    Verb(
        "operator",
        "gateway.commands.operator",
        "say who may sign on at the console",
        'groundwatch operator add "Eva M." --role supervisor',
    ),
    Verb(
        "token",
        "gateway.commands.token",
        "tokens with which other systems use the gateway's API",
        "groundwatch token add tak_server --scope read",
    ),
    Verb(
        "alarm",
        "gateway.commands.alarm",
        "list, show and acknowledge alarms of the running gateway",
        "groundwatch alarm list --state unacknowledged",
    ),
    Verb(
        "node",
        "gateway.commands.node",
        "list and show nodes, and ping, reboot, configure, identify them, read their log",
        'groundwatch node configure n07 heartbeat_s=600 radio=burst --reason "winter"',
    ),
    Verb(
        "connector",
        "gateway.commands.connector",
        "how connectors of the running gateway are, and a test notification",
        "groundwatch connector test duty_phone",
    ),
    Verb(
        "outputs",
        "gateway.commands.connector",
        "whether alarms can be told elsewhere: a test notification shows it",
        "groundwatch outputs test duty_phone",
    ),
    Verb(
        "reload",
        "gateway.commands.reload",
        "have the running gateway read schedules, escalation, outputs and new nodes",
        "groundwatch reload --config gateway.toml",
    ),
    Verb(
        "walktest",
        "gateway.commands.walktest",
        "announce a walk over the line, and see how much of it was detected",
        "groundwatch walktest announce --who Ben --sectors west --crossings 10",
    ),
    Verb(
        "tune",
        "gateway.commands.tune",
        "each node's rate of unwanted detections, and proposals for its threshold",
        "groundwatch tune --weeks 4 --replay",
    ),
    Verb(
        "replay",
        "tools.replay",
        "feed a take through firmware and gateway, or a store through the rules once more",
        "groundwatch replay takes/night_walker",
    ),
    Verb(
        "sim",
        "tools.sim",
        "make a take from a simulated world, with the truth of who went where",
        "groundwatch sim night_walker_line_of_8 --seconds 120 --out takes/night",
    ),
    Verb(
        "sim board",
        "tools.sim_board",
        "run official firmware on an emulated board: a serial port and a network for any program",
        "groundwatch sim board pico_w --serial ttyACM0 --network 127.0.0.1:1883",
    ),
    Verb(
        "sim control",
        "tools.sim_control",
        "ask an emulated board that runs: inject signals, cut power or Wi-Fi, read its time",
        'groundwatch sim control control \'{"do": "time"}\'',
    ),
    Verb(
        "record",
        "tools.record.cli",
        "make a labelled take, PIR included, of a node at its USB cable or of a simulated one",
        'groundwatch record n07 --label "p03 walks 5-40 m" --people p03',
    ),
    Verb(
        "record export",
        "tools.record.export",
        "write recorded takes as a data set, with data sheet, consent note and check sums",
        "groundwatch record export takes --out set.tar.gz",
    ),
    Verb(
        "record check",
        "tools.record.check",
        "check a data set: every file, every sum, every take",
        "groundwatch record check set.tar.gz",
    ),
    Verb(
        "score",
        "tools.score.cli",
        "measure detectors and alarms on takes and worlds with ground truth",
        "groundwatch score --scenario walkers_line_of_8 --seeds 1-3 --hours 0.5",
    ),
    Verb(
        "calibrate-confidence",
        "tools.score.confidence",
        "fit what each sign of an event weighs, on simulated sites; hours, or a minute if kept",
        "groundwatch calibrate-confidence --sites 400 --hours 0.25",
    ),
    Verb(
        "policies",
        "tools.score.policies",
        "score the policies for alarms over the same runs; minutes",
        "groundwatch policies --suite tools/score/held_out.toml",
    ),
    Verb(
        "calibrate",
        "tools.calibrate",
        "what a walk test says of a site: lines for its site.toml",
        "groundwatch calibrate takes/walk_test",
    ),
    Verb(
        "bundle",
        "tools.bundle",
        "write the exact file tree for a node's filesystem",
        "groundwatch bundle --board pico_w --config node.toml --out build/n07",
    ),
    Verb(
        "audit",
        "gateway.commands.audit",
        "check that what a gateway wrote down about its use still stands as it was written",
        "groundwatch audit verify data/groundwatch.db --key audit.pub",
    ),
    Verb(
        "release",
        "tools.release",
        "make the offline release key, and sign firmware for updates over the air",
        "groundwatch release sign --board pico_w --version 0.2.0 --out pico_w-0.2.0.gwr",
    ),
    Verb(
        "flash",
        "tools.flash.cli",
        "make a bare board a node: MicroPython, firmware, its key, and a proof of it",
        "groundwatch flash n07 --at 75,12.5 --sector gate",
    ),
    Verb(
        "node flash",
        "tools.flash.cli",
        "the same as flash: a bare board becomes a node, and its first heartbeat is shown",
        "groundwatch node flash n07",
    ),
    Verb(
        "export",
        "gateway.commands.export",
        "write one alarm with its detections, waveforms, history and audit as a signed file",
        "groundwatch export 12 --by eva --reason 'case 7/26' --out alarm12.jsonl",
    ),
    Verb(
        "bench",
        "tools.bench.cli",
        "measure the gateway beside a naive script and Node-RED",
        "groundwatch bench ingest --json",
    ),
    Verb(
        "update",
        "tools.update",
        "have the running gateway bring a signed release to its nodes, in waves",
        "groundwatch update pico_w-0.2.0.gwr --wave n01 --wave 25% --wave rest",
    ),
    Verb(
        "provision",
        "tools.provision",
        "keys of nodes: give out, rotate, replace a lost board, revoke, list",
        "groundwatch provision n07 --revoke --why 'stolen in the night of 3 May'",
    ),
    Verb(
        "power",
        "tools.power.cli",
        "size battery and solar panel for a board, a mode and a place; all computed",
        "groundwatch power --board pico_w --radio burst --latitude 52 --panel-w 5 "
        "--battery lifepo4:6Ah",
    ),
    Verb(
        "recordings",
        "tools.recordings",
        "what a node makes of a folder of real recordings",
        "groundwatch recordings ~/recordings --markdown recordings.md",
    ),
    Verb(
        "train",
        "tools.train.cli",
        "grow the model that nodes decide by, from simulated sites",
        "groundwatch train --sites 200 --out firmware/ugs/model.bin",
    ),
    Verb(
        "model score",
        "tools.record.score",
        "score the model that nodes decide by on recorded takes",
        "groundwatch model score --takes takes --json",
    ),
    Verb(
        "monitor",
        "tools.monitor",
        "what a node says on its USB cable, and how it is, live",
        "groundwatch monitor --seconds 60",
    ),
    Verb(
        "doctor",
        "tools.doctor",
        "is this machine fit to run a site and to flash nodes; what to do if not",
        "groundwatch doctor --json",
    ),
    Verb(
        "salvage",
        "gateway.commands.salvage",
        "make a damaged store anew from what can still be read of it",
        "groundwatch salvage --config gateway.toml --by eva",
    ),
    Verb(
        "wire",
        "tools.wiregen",
        "write what is generated from the wire's schema table, or check that it is current",
        "groundwatch wire --check",
    ),
)


class Parser(argparse.ArgumentParser):
    """argparse whose errors are one line, like every other user error of this command."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the usage and leaving."""
        raise UserError(f"{message} (see `{self.prog} --help`)")


def version() -> str:
    """Return the installed distribution's version, or say that it is a bare checkout."""
    try:
        return metadata.version("groundwatch")
    except metadata.PackageNotFoundError:
        return "0+checkout"


def build_parser(chosen: str | None) -> Parser:
    """Return the parser; only the chosen verb's module is imported to add its options."""
    width = max(len(verb.name) for verb in VERBS)
    examples = "\n".join(f"  {verb.name:<{width}}  {verb.example}" for verb in VERBS)
    parser = Parser(
        prog="groundwatch",
        description="An open unattended-ground-sensor system: nodes, gateway and simulator.",
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"groundwatch {version()}")
    verbs = parser.add_subparsers(
        title="verbs", dest="verb", metavar="VERB", required=True, parser_class=Parser
    )
    for verb in VERBS:
        child = verbs.add_parser(
            verb.name,
            help=verb.help,
            description=f"{verb.help[0].upper()}{verb.help[1:]}.",
            epilog=f"example:\n  {verb.example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if verb.name == chosen:
            module: VerbModule = importlib.import_module(verb.module)
            module.add_arguments(child)
            child.set_defaults(run=module.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; return the exit status: 0, the verb's own, 2 for a user error, 130 for ^C."""
    words = list(sys.argv[1:] if argv is None else argv)
    names = {verb.name for verb in VERBS}
    if " ".join(words[:2]) in names:
        words[:2] = [" ".join(words[:2])]
    try:
        chosen = next((word for word in words if not word.startswith("-")), None)
        args = build_parser(chosen if chosen in names else None).parse_args(words)
        status: int = args.run(args)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader left (`groundwatch replay ... | head`): not our error, and nothing to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    except ModuleNotFoundError as error:
        line = extras.explanation(error)
        if line is None:
            raise
        print(f"groundwatch: {line}", file=sys.stderr)
        return EXIT_USER_ERROR
    except Exception as error:
        if not _is_user_error(error):
            raise
        print(f"groundwatch: {' '.join(str(error).split())}", file=sys.stderr)
        return EXIT_USER_ERROR
    return status


def _is_user_error(error: Exception) -> bool:
    """Know the three packages' user errors without importing a package that was not used."""
    known: list[type[Exception]] = [UserError]
    for module_name, class_name in (
        ("gateway.errors", "GroundwatchError"),
        ("sim_hardware.errors", "SimError"),
    ):
        module = sys.modules.get(module_name)
        if module is not None:
            known.append(getattr(module, class_name))
    return isinstance(error, tuple(known))


if __name__ == "__main__":
    sys.exit(main())
