# SPDX-License-Identifier: MIT
"""`groundwatch doctor`: checks whether this machine can run a site and flash nodes."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console

from gateway.broker.acl_probe import check_embedded
from gateway.broker.mosquitto import MosquittoBroker
from gateway.commands.options import config_option, json_option
from gateway.config import BrokerKind, GatewayConfig, load_config
from gateway.config.site import load_site
from gateway.enrolment import ENROLMENT, EnrolmentLog
from gateway.errors import GroundwatchError
from gateway.keysafe import Rest, open_root, rest_of
from gateway.model.place.site import WIFI
from gateway.service.clock_quality import ClockQuality, read_clock_quality
from tools.diagnosis import Diagnosis
from tools.doctor_store import disk, fsync, store
from tools.flash.ports import Port, boot_drives, ports, unmounted_drive

# systemd-timesyncd asks every 2,048 s at most, and the kernel adds 500 ppm in between: 1 s.
_CLOCK_ERROR_MS = 2000.0
_EPOCH_S = 1_735_689_600  # 2025-01-01: a clock before it was never set


@click.command()
@config_option()
@json_option("findings as JSON")
def doctor(config: Path, as_json: bool) -> int:
    """0 when a gateway can run here, 1 when it cannot."""
    findings = examine(config)
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings]))
    else:
        _print(findings)
    return int(any(finding.state == "problem" for finding in findings))


def examine(path: Path) -> list[Diagnosis]:
    """Every check, those of a configuration only where it can be read."""
    findings = [*serial_ports(ports()), clock(time.time())]
    try:
        config = load_config(path)
    except GroundwatchError as error:
        do = "groundwatch init makes one" if not path.exists() else "correct it"
        return [*findings, Diagnosis("configuration", "problem", str(error), do)]
    findings.append(Diagnosis("configuration", "ok", f"{path} is complete"))
    checks: tuple[Callable[[GatewayConfig], Diagnosis], ...] = (
        site,
        origin,
        fleet_key,
        enrolment,
        disk,
        fsync,
        store,
        clock_and_records,
        reach,
        broker,
    )
    return [*findings, *(_guarded(check, config) for check in checks)]


def _guarded(check: Callable[[GatewayConfig], Diagnosis], config: GatewayConfig) -> Diagnosis:
    try:
        return check(config)
    except (GroundwatchError, OSError) as error:
        return Diagnosis(check.__name__.replace("_", " "), "problem", str(error), "correct it")


def serial_ports(found: list[Port]) -> list[Diagnosis]:
    """Boards, and whether their ports can be opened."""
    findings = []
    for port in found:
        name = f"{port.device} ({port.maker})"
        if os.access(port.device, os.R_OK | os.W_OK):
            findings.append(Diagnosis("ports", "ok", f"{name} can be used"))
        else:
            do = "sudo usermod -aG dialout $USER, then log in again (docs/operations.md, udev)"
            findings.append(Diagnosis("ports", "problem", f"{name}: no permission", do))
    findings += [Diagnosis("ports", "ok", f"a boot ROM's drive at {d}") for d in boot_drives()]
    if hint := unmounted_drive():
        findings.append(Diagnosis("ports", "warning", "a boot ROM's drive", hint))
    return findings or [Diagnosis("ports", "ok", "no board is plugged in")]


def clock(now_s: float, quality: ClockQuality | None = None) -> Diagnosis:
    """Whether the clock is set and synchronised; `quality` defaults to that of this kernel."""
    if now_s < _EPOCH_S:
        return Diagnosis("clock", "problem", "it is not set", "sudo timedatectl set-time ...")
    quality = quality or read_clock_quality()
    if quality.synchronised and (quality.max_error_ms or 0.0) <= _CLOCK_ERROR_MS:
        return Diagnosis("clock", "ok", quality.text)
    return Diagnosis(
        "clock",
        "warning",
        quality.text,
        "set up chrony or systemd-timesyncd with a server or a GNSS receiver, or compare the clock"
        " with a watch regularly; nodes follow it",
    )


def clock_and_records(config: GatewayConfig) -> Diagnosis:
    """Whether the gateway will accept the computer's clock at its next start."""
    from gateway.commands import offline_clock  # it needs what help does not load

    found = offline_clock.read(config.store)
    if not found.doubted:
        return Diagnosis("clock and records", "ok", "the clock agrees with the newest record")
    do = "set the clock; if it is right, start the gateway, then: groundwatch gateway confirm clock"
    return Diagnosis("clock and records", "warning", offline_clock.doubt(found), do)


def site(config: GatewayConfig) -> Diagnosis:
    """The site file."""
    known = load_site(config.site)
    found = f"{known.name}: {len(known.nodes)} nodes in {len(known.sectors)} sectors"
    if config.nodes is None:
        do = "groundwatch init --wifi NAME --address ADDRESS adds it"
        return Diagnosis("site", "warning", f"{found}; no [nodes], which node flash needs", do)
    return Diagnosis("site", "ok", found)


def origin(config: GatewayConfig) -> Diagnosis:
    """The geographic origin, which maps, cameras and drones of partners need."""
    zero = load_site(config.site).origin
    if zero is None:
        do = "add latitude and longitude to [site] (docs/operations.md) to share positions"
        return Diagnosis("origin", "ok", "none: the site has local metres only", do)
    place = f"{zero.latitude:.6f}, {zero.longitude:.6f}, {zero.height_m:.0f} m"
    return Diagnosis("origin", "ok", f"{place}; error {zero.error_m:g} m")


def fleet_key(config: GatewayConfig) -> Diagnosis:
    """How the fleet root is stored; it is opened only where no passphrase is needed."""
    rest = rest_of(config.fleet_key)
    if rest is Rest.PLAIN:
        open_root(config.fleet_key)
        do = "groundwatch node provision --root passphrase (or keyring), with a copy kept offline"
        return Diagnosis("fleet key", "warning", f"{config.fleet_key} is not encrypted", do)
    return Diagnosis("fleet key", "ok", f"{config.fleet_key} is stored in: {rest.value}")


def enrolment(config: GatewayConfig) -> Diagnosis:
    """The enrolment log."""
    if rest_of(config.fleet_key) is Rest.PASSPHRASE:
        return Diagnosis("enrolment", "ok", "not read: it takes the passphrase")
    journal = EnrolmentLog(config.data_dir / ENROLMENT, open_root(config.fleet_key)).read()
    revoked = [node for node, standing in journal.standings.items() if standing.revoked_at]
    found = f"{journal.entries} entries, {len(revoked)} nodes revoked"
    return Diagnosis("enrolment", "ok", found)


def reach(config: GatewayConfig) -> Diagnosis:
    """Whether nodes on a Wi-Fi network can reach the broker."""
    nodes = load_site(config.site).nodes.values()
    by_wifi = sum(node.link == WIFI for node in nodes)
    if not by_wifi:
        return Diagnosis("reach", "ok", "no node is on Wi-Fi")
    if config.nodes is None:
        return Diagnosis("reach", "ok", "not known: there is no [nodes]")
    if do := config.nodes.unreachable(config.broker):
        return Diagnosis("reach", "problem", f"{by_wifi} nodes cannot reach the broker", do)
    where = f"{config.nodes.host}:{config.nodes.port or config.broker.port}"
    return Diagnosis("reach", "ok", f"{by_wifi} nodes expect the broker at {where}")


def broker(config: GatewayConfig) -> Diagnosis:
    """Whether a broker of the configured kind, on a free port, enforces its access rules."""
    kind = config.broker.kind
    if kind is BrokerKind.EXTERNAL:
        do = "verify that each node can publish on its own topic only (docs/operations.md)"
        return Diagnosis("broker", "warning", "an external one is not tested", do)
    warnings = asyncio.run(_try_broker(kind, load_site(config.site).name))
    found = f"{kind.value}: it enforces passwords and topics"
    if warnings:
        do = "upgrade it, or read in the changelog of its package which faults are mended"
        return Diagnosis("broker", "warning", "; ".join([found, *warnings]), do)
    return Diagnosis("broker", "ok", found)


async def _try_broker(kind: BrokerKind, name: str) -> list[str]:
    """Its warnings. Raises BrokerError."""
    if kind is BrokerKind.EMBEDDED:
        await check_embedded(0, name)
        return []
    with tempfile.TemporaryDirectory(prefix="groundwatch-") as folder:
        async with MosquittoBroker("127.0.0.1", 0, name, {}, Path(folder)) as tried:
            return tried.warnings  # it probes its own rules before it reports ready


def _print(findings: list[Diagnosis]) -> None:
    console = Console(highlight=False)
    marks = {
        "ok": "[green]ok[/]     ",
        "warning": "[yellow]warning[/]",
        "problem": "[red]problem[/]",
    }
    for finding in findings:
        console.print(f"{marks[finding.state]}  {finding.check:<14}", end="")
        console.print(finding.found, markup=False, soft_wrap=True)
        if finding.do:
            console.print(f"{'':<25}{finding.do}", markup=False, soft_wrap=True)
