# SPDX-License-Identifier: MIT
"""Ten minutes of the whole firmware on official MicroPython beside a gateway, with what a field
brings: people who walk by, Wi-Fi that drops, a name server that is away, a gateway that restarts,
power that flickers. Nothing that a node noticed may be lost, and all that it lost is counted.

Everything counts the board's own time.
"""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from gateway import keys
from gateway.wire.codec import decode_up
from gateway.wire.messages import Health, Hello
from sim_hardware.emulated.network import HOST, SSID
from tests.end_to_end.site import Site
from tests.picow.board import PicoW
from tests.picow.ground import DURATION_S, write_walk
from tools.bundle import NodeConfig, write_tree

NODE = "n01"
NAME = "gateway.example"  # of the gateway, whose address the node has pinned
TEN_MINUTES_S = 600
BOOT_S, LINK_S = 60, 120
# Of a walk: the person moves from 8 s on; a report may come a little after the last step.
WALK_BEGINS_S, WALK_ENDS_S = 7, DURATION_S
# Five cuts and power-ons in a row. All but the last one end before a boot number is taken.
FLICKERS_MS = 200
SHORT_ONS_S, LAST_ON_S = (0.3, 0.7, 1.2, 0.5), 6.0
READINGS_HZ, SAMPLES_HZ_X100 = 4000, 25_000
RING_US = 1_024_000
# By the gateway's clock, which is faster than that of the board: times of single footfalls.
BY_THE_WALL = {"untimely_footfalls"}
DETECTION = re.compile(r"^detection boot=(\d+) seq=(\d+) onset_ms=(\d+) phase=(\w+)")
STARTED = re.compile(r"^node started .* fw=(\S+) boot=(\d+) cause=(\w+)")
SAMPLING = re.compile(
    r"^sampling rate_hz_x100=(\d+) missed=(\d+) overruns=(\d+) clipped=(\d+) worst_late_us=(\d+)"
)


@dataclass
class Run:
    """The board, its site, and what was done to it by the board's clock."""

    site: Site
    pico: PicoW
    folder: Path
    walks_us: list[int] = field(default_factory=list)
    reports: list[dict[str, Any]] = field(default_factory=list)  # by all gateways
    up_us: int = 0

    def log(self, what: str) -> None:
        """A line for the reader of the test's output."""
        print(f"{self.pico.emulated_us / 1e6:7.1f} s, {self.pico.wall_s:5.0f} s wall: {what}")

    async def at(self, second: float) -> None:
        """Until so long after the first link."""
        at_us = self.up_us + int(second * 1e6)
        await self.pico.until(lambda: self.pico.emulated_us >= at_us, "its time", TEN_MINUTES_S)

    async def walk(self, second: float) -> None:
        """A person starts to walk past at that time."""
        await self.at(second)
        seed = len(self.walks_us) % 3
        started = self.pico.ask("take", folder=str(self.folder / f"walk{seed}"), node=NODE)
        self.walks_us.append(started["start_us"])
        self.log(f"walk {len(self.walks_us)}")

    async def after_walk(self) -> None:
        """Until the last walk has ended."""
        await self.at((self.walks_us[-1] - self.up_us) / 1e6 + DURATION_S)

    def do(self, do: str, **fields: Any) -> None:
        """One action of the control channel."""
        self.pico.ask(do, **fields)
        self.log(f"{do} {json.dumps(fields)}")

    def during(self, number: int, found: list[tuple[int, re.Match[str]]]) -> list[re.Match[str]]:
        """Those lines that were printed while walk `number` was under way."""
        begin_us = self.walks_us[number]
        first_us, last_us = begin_us + WALK_BEGINS_S * 10**6, begin_us + WALK_ENDS_S * 10**6
        return [match for at_us, match in found if first_us <= at_us <= last_us]

    def lines(self, pattern: re.Pattern[str]) -> list[tuple[int, re.Match[str]]]:
        """What the board printed that matches, and when."""
        return [(at, found) for at, text in self.pico.lines if (found := pattern.match(text))]

    def rows(self, query: str) -> list[Any]:
        """Of the gateway's store."""
        with closing(sqlite3.connect(self.site.folder / "data" / "groundwatch.db")) as db:
            return db.execute(query).fetchall()

    def kept(self) -> set[tuple[int, int]]:
        """(boot, seq) of each detection at the gateway."""
        return set(self.rows("SELECT boot, seq FROM detection"))

    def recorded(self) -> list[tuple[int, int]]:
        """The same at the node."""
        return [(int(m[1]), int(m[2])) for _at, m in self.lines(DETECTION)]

    async def all_arrived(self) -> None:
        """Until the gateway has all that the node has recorded."""
        await self.pico.until(lambda: set(self.recorded()) <= self.kept(), "the detections", LINK_S)
        self.log(f"{len(self.kept())} detections at the gateway")

    async def linked(self, after_us: int) -> int:
        """When the node had a link after that time."""

        def found() -> int:
            return next(
                (at for at, text in self.pico.lines if at > after_us and "link up" in text), 0
            )

        return int(await self.pico.until(found, "the link", LINK_S))

    @asynccontextmanager
    async def gateway(self) -> AsyncIterator[None]:
        """A running gateway; its output lines are kept."""
        async with self.site.gateway() as lines:
            try:
                yield
            finally:
                self.reports += lines


async def _cut(run: Run, on_s: float) -> None:
    """A power cut, and power for so long."""
    run.do("power", on=False, for_ms=FLICKERS_MS)
    until_us = run.pico.emulated_us + int(on_s * 1e6)
    await asyncio.to_thread(run.pico.ask, "wait", until_us=until_us)


async def _first_half(run: Run) -> None:
    """Under a gateway: a walk, and another while the Wi-Fi is away."""
    async with run.gateway():
        run.up_us = await run.linked(0)
        run.log("link up")
        await run.walk(5)
        await run.after_walk()
        run.do("wifi", state="off", for_ms=52_000)
        await run.walk(55)
        await run.after_walk()
        assert not set(run.recorded()) <= run.kept(), "it had no link to send them"
        await run.at(105)
        await run.all_arrived()
        # Two minutes without a name server: nothing needs it until the gateway is away.
        run.do("dns", answer="absent")
        await run.walk(150)
        await run.at(150 + 22)  # in the middle of it


async def _second_half(run: Run) -> None:
    """Under the gateway that comes after it: power that flickers without Wi-Fi, and walks."""
    await run.at(150 + 55)
    async with run.gateway():
        run.log("the gateway is back")
        await run.linked(run.pico.emulated_us)
        await run.all_arrived()
        await run.walk(260)
        await run.after_walk()
        await run.all_arrived()
        run.do("wifi", state="off")
        await run.walk(310)
        await run.after_walk()
        waiting = set(run.recorded()) - run.kept()
        assert waiting
        for on_s in (*SHORT_ONS_S, LAST_ON_S):
            await _cut(run, on_s)
        run.do("wifi", state="on")
        await run.linked(run.pico.emulated_us)
        await run.all_arrived()
        assert waiting <= run.kept()
        run.do("dns", answer="refuse")
        await run.walk(400)
        await run.after_walk()


async def _end(run: Run) -> dict[str, Any]:
    """Under a third gateway, at once after the second: the last walk, and a minute of peace."""
    async with run.gateway():
        run.log("another gateway")
        await run.linked(run.pico.emulated_us)
        run.do("dns", answer="gateway", delay_ms=2_000)
        await run.walk(490)
        await run.after_walk()
        await run.all_arrived()
        await run.at(TEN_MINUTES_S - run.up_us / 1e6)
        # With its next heartbeat the node states what it missed until then.
        before = len(_stated(run))
        await run.pico.until(lambda: len(_stated(run)) > before, "a heartbeat", LINK_S)
        run.log("ten minutes are over")
        return dict(json.loads(await run.site.run("node", "show", NODE, "--json")))


def _stated(run: Run) -> list[int]:
    """Samples missed, as each heartbeat states it that came to the gateway."""
    rows = run.rows("SELECT payload FROM message WHERE kind = 'health' ORDER BY id")
    heartbeats = [decode_up(payload) for (payload,) in rows]
    return [one.samples_missed for one in heartbeats if isinstance(one, Health)]


def _tree(folder: Path, port: int) -> Path:
    root = keys.load_fleet_root(folder / "fleet.key")
    config = NodeConfig(
        site="north",
        node=NODE,
        board="pico_w",
        key=keys.node_key(root, "north", NODE),
        ssid=SSID,
        passphrase="any eight characters",
        host=NAME,
        address=HOST,
        port=port,
        x_m=0,
        y_m=0,
    )
    write_tree(config, folder / "tree")
    return folder / "tree"


@pytest.mark.picow
async def test_ten_minutes_with_drops_restarts_and_flickers_lose_no_detection(
    pico_w_image, tmp_path
):
    site = Site(tmp_path, SSID, HOST, limit_s=3600)
    await site.keys()
    for number, seed in enumerate((7, 8, 9)):
        write_walk(tmp_path / f"walk{number}", seed)
    board = tmp_path / "board"
    board.mkdir()
    words = ("--network", f"127.0.0.1:{site.port}", "--dns", "gateway")
    async with AsyncExitStack() as after:
        pico = PicoW(pico_w_image, board, *words, files=_tree(tmp_path, site.port))
        run = Run(site, after.enter_context(pico), tmp_path)
        after.callback(lambda: print("\n".join(f"{at / 1e6:.1f} {t}" for at, t in pico.lines)))
        await _first_half(run)
        run.log("the gateway is gone")
        await _second_half(run)
        node = await _end(run)
        _check_walks(run)
        _check_starts(run)
        _check_samples(run)
        _check_conditions(run, node)


def _check_walks(run: Run) -> None:
    """Each is detected; each report arrived once; each has an alarm."""
    recorded = run.recorded()
    assert not [one for one, count in Counter(recorded).items() if count > 1]
    assert run.kept() == set(recorded)
    reports = run.lines(DETECTION)
    onsets = [(at, match) for at, match in reports if match[4] == "onset"]
    detections = [line for line in run.reports if line["type"] == "detection"]
    # The gateway prints one line for each onset that is new to it.
    assert len(detections) == len(onsets)
    alarmed = {name for line in run.reports for name in line.get("detections", ())}
    # An activity may go on from one walk into the next: it ends half a minute after the last step.
    detected = [(at, match) for at, match in reports if match[4] != "end"]
    for number in range(len(run.walks_us)):
        found = run.during(number, detected)
        assert found, f"walk {number + 1} was not detected"
        names = {f"{NODE}/{int(match[1])}/{int(match[3])}" for match in found}
        assert names & alarmed, f"walk {number + 1} has no alarm"
    assert sum(len(run.during(n, onsets)) for n in range(len(run.walks_us))) == len(onsets)
    refused = {reason for (reason,) in run.rows("SELECT reason FROM refused WHERE count > 0")}
    assert refused <= BY_THE_WALL


def _check_starts(run: Run) -> None:
    """Power-ons, and nothing else; those that were long enough have a boot number each."""
    cuts = len(SHORT_ONS_S) + 1
    assert run.pico.ask("time")["boots"] == 1 + cuts
    started = [(match[1], int(match[2]), match[3]) for _at, match in run.lines(STARTED)]
    assert [(boot, cause) for _fw, boot, cause in started] == [(1, "power_on"), (2, "power_on")]
    rows = run.rows("SELECT boot, payload FROM message WHERE kind = 'hello'")
    hellos = [(boot, decode_up(payload)) for boot, payload in rows]
    assert {boot for boot, _hello in hellos} == {1, 2}
    for _boot, hello in hellos:
        assert isinstance(hello, Hello)
        assert (hello.reset_cause.name.lower(), hello.reset_detail) == ("power_on", None)
        assert not hello.fw.startswith("safe-")
    wrong = "node stops|node restarts|task failed|watchdog starved|Traceback|trial fails"
    assert not run.lines(re.compile(wrong))


def _check_samples(run: Run) -> None:
    """None was missed, the node reports none, and the converter took the expected readings."""
    stated = _stated(run)
    assert len(stated) >= 5, "a heartbeat comes every 48 to 72 s while there is a link"
    assert set(stated) == {int(match[2]) for _at, match in run.lines(SAMPLING)} == {0}
    starts_us = [at for at, _match in run.lines(STARTED)]
    for at_us, match in run.lines(SAMPLING):
        rate, _missed, overruns, clipped, late_us = (int(word) for word in match.groups())
        assert (overruns, clipped) == (0, 0)
        assert late_us < RING_US
        if at_us - max(start for start in starts_us if start < at_us) > 30e6:
            assert rate == pytest.approx(SAMPLES_HZ_X100, abs=10)
    feeds = run.pico.ask("feeds")["feeds_us"]
    unfed_s = max(later - sooner for sooner, later in pairwise(feeds)) / 1e6
    print(f"longest time without feeding the watchdog: {unfed_s:.2f} s")
    assert unfed_s < 4
    reads = run.pico.ask("counters")["adc_reads"]
    first_us = starts_us[0]
    off_us = (len(SHORT_ONS_S) + 1) * 5_000_000  # at most: cuts, and starts until they sample
    least = READINGS_HZ * (run.pico.emulated_us - first_us - off_us) / 1e6
    assert reads >= 0.998 * least


def _check_conditions(run: Run, node: dict[str, Any]) -> None:
    """Those that came have ended: at the node's row, and of its alarms."""
    assert node["conditions"] == []
    assert (node["state"], node["lost"], node["forged"]) == ("normal", False, False)
    assert (node["gaps"], node["records_dropped"], node["ledger_pending"]) == ([], 0, 0)
    last = {line["id"]: line for line in run.reports if line["type"] == "node_alarm"}
    kinds = {line["kind"]: line["state"] for line in last.values()}
    print(f"alarms about the node: {kinds}")
    assert last, "a node that loses its link is an alarm"
    assert all("cleared" in line["state"] for line in last.values())
