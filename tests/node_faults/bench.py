# SPDX-License-Identifier: MIT
"""One node in virtual time in front of a real gateway, while a schedule of faults is played.

The node is the firmware on the 32-bit MicroPython with the board's heap, flash and costs. The
gateway is a process of its own with its store on disk, reached by TCP through a proxy. The node
reports its time and waits at each point of the schedule, so the gateway's clock follows the node's.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import multiprocessing
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from zlib import crc32

from gateway import keys
from sim_hardware.sandbox import EXIT_CRASH, EXIT_END, EXIT_RESET, Faults, Made, NodeLog, Sandbox
from tests.faults.life import Life
from tests.faults.nodes import stored
from tests.gateway.played_node import ROOT, SITE, write_site
from tests.node.conftest import FS_HZ, walker
from tests.node_faults.proxy import Proxy
from tests.node_faults.schedule import FLICKER_S, Fault, Schedule
from tests.ports import free_port
from tools.bundle import NodeConfig, write_tree
from tools.compiled import mpy_of_interpreter

NODE = "n01"
# Limit after the last fault until the node is connected and has delivered all its records.
SETTLE_S = 300.0
_LOOK_S = 20.0
_SECTOR = 4096
FLIP_S = 2.0  # before the end of such a fault
_LAP_S, _WALK_S = 80.0, (30.0, 60.0)
_T0_US = 1_790_000_000_000_000
_MAX_WALL_S = 1_800.0
_MAX_BOOTS = 400
_ONCE = {
    "cut in a packet, up": "cut up",
    "cut in a packet, down": "cut down",
    "acknowledgement lost": "ack lost",
    "receipt lost": "receipt lost",
    "late on the old connection": "late",
}
Record = tuple[int, int]


@dataclass
class Played:
    """The result of one schedule."""

    schedule: Schedule
    lines: list[tuple[float, str]] = field(default_factory=list)  # with the time last reported
    made: list[Made] = field(default_factory=list)
    rows: dict[Record, int] = field(default_factory=dict)  # detections at the gateway
    damaged: set[Record] = field(default_factory=set)
    happened: int = 0
    boots: int = 0
    settled_s: float | None = None  # after the last fault
    passed: dict[str, int] = field(default_factory=dict)
    wall_s: float = 0.0
    end_s: float = 0.0


class Bench:
    """`await play()` once."""

    def __init__(self, folder: Path, schedule: Schedule, interpreter: Path) -> None:
        self.played = Played(schedule)
        self._folder = folder
        self._schedule = schedule
        self._rng = random.Random(schedule.seed + 1)
        self._interpreter = interpreter
        self._port = free_port()
        self._proxy = Proxy(self._port)
        self._offset = multiprocessing.get_context("forkserver").Value("q", 0)
        self._config = self._write_gateway()
        self._life: Life | None = None
        self._away = 0  # how many faults keep the gateway down
        self._jump_us = 0
        self._now_s = 0.0
        self._log = NodeLog(NODE)
        self._box = Sandbox(NODE, "pico_w", folder / NODE, interpreter)
        self._flips = [fault.end_s - FLIP_S for fault in schedule.of("bit flips")]
        self._points = self._write_points()
        self._linked_s = 0.0

    async def play(self) -> Played:
        """Until the node has settled after the last fault, or should have."""
        start_s, played = time.monotonic(), self.played
        control = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        async with control, self._proxy.running():
            self._write_node(control.sockets[0].getsockname()[1])
            await self._start_gateway()
            try:
                async with asyncio.timeout(_MAX_WALL_S):
                    await self._run_node()
            except TimeoutError:
                self._log_line("bench: the run took too long")
            finally:
                if self._life is not None:
                    self._life.kill()
        played.made = self._log.made
        played.rows = dict(self._stored())
        played.passed = dict(self._proxy.counters)
        played.wall_s = time.monotonic() - start_s
        played.end_s = self._now_s
        return played

    def _write_gateway(self) -> Path:
        config = write_site(self._folder, 1)
        config.write_text(
            '[gateway]\ndata_dir = "data"\nsite = "site.toml"\nfleet_key = "fleet.key"\n'
            f'[broker]\nkind = "embedded"\nport = {self._port}\n[console]\nport = 0\n'
        )
        (self._folder / "data").mkdir()
        return config

    def _write_node(self, control_port: int) -> None:
        schedule, folder = self._schedule, self._folder / NODE
        folder.mkdir()
        config = NodeConfig(
            site=SITE,
            node=NODE,
            board="pico_w",
            key=keys.node_key(ROOT, SITE, NODE),
            ssid="field",
            passphrase="eight or more",
            host="broker.field" if schedule.named else "10.0.0.1",
            port=1883,
            x_m=0.0,
            y_m=0.0,
        )
        write_tree(config, self._box.tree, mpy_of_interpreter(self._interpreter))
        lap = walker(_LAP_S, *_WALK_S)
        self._box.feed.write_bytes((1 << 40).to_bytes(8, "little") + lap)  # a ring without an end
        settings = {
            "mode": "virtual",
            "fs_hz": FS_HZ,
            "feed_ring": len(lap) // 4,
            "t0_epoch_ms": _T0_US // 1000,
            "end_s": schedule.end_s + SETTLE_S + 2 * _LOOK_S,
            "pir_edges_s": _edges(schedule.of("PIR chatters")),
            "outside": [self._proxy.port, control_port],
            "stops_s": sorted(self._points),
            "count_samples": True,
        }
        self._box.write_settings(settings, schedule.seed, node_faults(schedule), schedule.charges)

    def _write_points(self) -> dict[float, list[Callable[[], object]]]:
        """What the bench does at which time of the node."""
        points: dict[float, list[Callable[[], object]]] = {}

        def at(t_s: float, act: Callable[[], object]) -> None:
            points.setdefault(t_s, []).append(act)

        for fault in self._schedule.faults:
            begin, end = self._acts(fault)
            if begin is not None:
                at(fault.at_s, begin)
            if end is not None:
                at(fault.end_s, end)
        last_s = self._schedule.end_s
        at(last_s, lambda: self._log_line("bench: the last fault is over"))
        looks = int(SETTLE_S / _LOOK_S) + 1
        for number in range(1, looks + 1):
            at(last_s + number * _LOOK_S, self._look)
        return points

    def _acts(
        self, fault: Fault
    ) -> tuple[Callable[[], object] | None, Callable[[], object] | None]:
        proxy, kind = self._proxy, fault.kind
        if kind in ("gateway killed", "gateway away", "bit flips"):
            return self._kill_gateway, self._end_absence
        if kind == "gateway restarts":
            return self._stop_gateway, self._end_absence
        if kind == "clock jumps":
            jump_us = round(fault.amount * 1e6)
            return lambda: self._set_clock(jump_us), lambda: self._set_clock(-jump_us)
        if kind == "reset":
            return proxy.reset, None
        if kind == "nothing passes":
            return proxy.half_open, None
        if kind in _ONCE:
            return lambda: proxy.once.append(_ONCE[kind]), None
        if kind == "delayed":
            return lambda: proxy.delay(True), lambda: proxy.delay(False)
        flag = {"throttled": "throttles", "refused": "refuses", "swallowed": "swallows"}.get(kind)
        if flag is None:
            return None, None
        return lambda: setattr(proxy, flag, True), lambda: setattr(proxy, flag, False)

    # The gateway.

    async def _start_gateway(self) -> None:
        self._life = Life(self._config, offset=self._offset)
        assert await asyncio.to_thread(self._life.start)

    async def _kill_gateway(self) -> None:
        self._away += 1
        life, self._life = self._life, None
        if life is not None:
            await asyncio.to_thread(life.kill)

    async def _stop_gateway(self) -> None:
        self._away += 1
        life, self._life = self._life, None
        if life is not None:
            await asyncio.to_thread(life.stop)

    async def _end_absence(self) -> None:
        self._away -= 1
        if not self._away:
            await self._start_gateway()

    def _set_clock(self, jump_us: int) -> None:
        self._jump_us += jump_us
        self._set_offset()

    def _set_offset(self) -> None:
        utc_us = _T0_US + round(self._now_s * 1e6) + self._jump_us
        self._offset.value = utc_us - time.time_ns() // 1000

    def _stored(self) -> dict[Record, int]:
        path = self._folder / "data" / "groundwatch.db"
        return {key[1:]: count for key, count in stored(path).items()}

    # The node.

    async def _run_node(self) -> None:
        self._box.folder.joinpath("console.log").touch()
        for _ in range(_MAX_BOOTS):
            self.played.boots += 1
            process = await asyncio.create_subprocess_exec(
                *self._box.command(),
                cwd=self._box.tree,
                env=self._box.environment(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            self._process = process
            assert process.stdout is not None
            try:
                while line := await process.stdout.readline():
                    self._log_line(line.decode(errors="replace").rstrip())
                code = await process.wait()
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
            if self.played.settled_s is not None or code == EXIT_END:
                return
            if code == EXIT_CRASH:
                # A board is at its prompt then, until the watchdog resets it.
                self._log_line("firmware raised")
                exit_us = round(1e6 * self._last_exit_s()) + 8_000_000
                (self._box.folder / "exit.json").write_text(
                    json.dumps({"cause": "watchdog", "t_us": exit_us})
                )
            elif code != EXIT_RESET:
                self._log_line(f"bench: the node ended with code {code}")
                return
            self._flip_when_due()

    def _log_line(self, line: str) -> None:
        self._log.add(line)
        self.played.lines.append((self._now_s, line))
        with (self._folder / "node.log").open("a") as log:
            log.write(f"{self._now_s:10.3f} {line}\n")
        if line.startswith("link up"):
            self._linked_s = self._now_s

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The node reports its time and waits for the answer."""
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                word, t_us = line.split()
                self._now_s = int(t_us) / 1e6
                if word == b"stop":
                    await self._act()
                self._set_offset()
                writer.write(b"go\n")
        writer.close()

    async def _act(self) -> None:
        """What is due: points that passed while the node had no power too."""
        for t_s in sorted(t_s for t_s in self._points if t_s <= self._now_s + 1e-4):
            for act in self._points.pop(t_s):
                result = act()
                if asyncio.iscoroutine(result):
                    await result

    async def _look(self) -> None:
        """Whether the node is connected again and no record is missing."""
        if self.played.settled_s is not None or self._away:
            return
        rows = self._stored()
        made = {(made.boot, made.seq) for made in self._log.made} - self.played.damaged
        if made <= rows.keys() and self._log.lines and self._is_linked():
            self.played.settled_s = self._now_s - self._schedule.end_s
            self._process.kill()

    def _is_linked(self) -> bool:
        words = [line for _t, line in self.played.lines if line.startswith(("link ", "node start"))]
        return bool(words) and words[-1].startswith("link up")

    def _flip_when_due(self) -> None:
        """The power is off: one bit of a record that the gateway lacks changes its state."""
        due = [t_s for t_s in self._flips if t_s <= self._last_exit_s()]
        self._flips = [t_s for t_s in self._flips if t_s not in due]
        for _ in due:
            image = bytearray((self._box.folder / "flash.img").read_bytes())
            rows = self._stored() if (self._folder / "data" / "groundwatch.db").exists() else {}
            missing = [(m.boot, m.seq) for m in self._log.made if (m.boot, m.seq) not in rows]
            missing = [one for one in missing if one not in self.played.damaged]
            self._rng.shuffle(missing)
            for record in missing:
                places = _places(image, record)
                if places:
                    bit = self._rng.randrange(8 * (5 + image[places[0]]))
                    for at in places:
                        image[at + bit // 8] ^= 1 << bit % 8
                    (self._box.folder / "flash.img").write_bytes(image)
                    self.played.damaged.add(record)
                    self._log_line(f"bench: bit {bit} of record {record} flips")
                    break

    def _last_exit_s(self) -> float:
        return float(json.loads((self._box.folder / "exit.json").read_text())["t_us"]) / 1e6


def node_faults(schedule: Schedule) -> Faults:
    """Those that the simulated board plays itself."""

    def spans(*kinds: str) -> tuple[tuple[float, float], ...]:
        return tuple(sorted((fault.at_s, fault.end_s) for fault in schedule.of(*kinds)))

    flickers = [
        (fault.at_s + 2 * number * FLICKER_S, fault.at_s + (2 * number + 1) * FLICKER_S)
        for fault in schedule.of("power flickers")
        for number in range(int(fault.amount))
    ]
    flips = [(fault.end_s - FLIP_S, fault.end_s - 1) for fault in schedule.of("bit flips")]
    return Faults(
        outages_s=spans("no network"),
        dead_radio_s=spans("dead radio"),
        dhcp_away_s=spans("no address"),
        dns_away_s=spans("no name server"),
        wrong_passphrase_s=spans("wrong passphrase"),
        half_open_s=spans("half-open"),
        low_memory_s=spans("low memory"),
        power_off_s=tuple(sorted([*spans("power cut"), *flips, *flickers])),
        flash_cuts_s=tuple(a for a, _b in spans("power cut while flash is written")),
        battery_curve=_dips(spans("brown-out")),
        tamper_edges_s=tuple(_edges(schedule.of("tamper chatters"))),
    )


def _dips(spans: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
    points: list[tuple[float, float]] = []
    for begin_s, end_s in spans:
        if points and begin_s < points[-1][0]:
            continue
        points += [(begin_s - 0.01, 3900), (begin_s, 1500), (end_s, 1500), (end_s + 0.01, 3900)]
    return tuple(points)


def _edges(faults: list[Fault]) -> list[float]:
    """An even number of edges for each: at its end the level is what it was."""
    return sorted(
        fault.at_s + (fault.end_s - fault.at_s) * i / (2 * int(fault.amount))
        for fault in faults
        for i in range(2 * int(fault.amount))
    )


def _places(image: bytearray, record: Record) -> list[int]:
    """Where the record lies whole in a data block of the flash, each copy. A small file lies in the
    log of its folder: a flip there takes littlefs back, and no ledger can know."""
    places = []
    for begin in range(0, len(image), _SECTOR):
        at, block = begin, image[begin : begin + _SECTOR]
        while at < begin + _SECTOR:
            size = block[at - begin]
            body = bytes(block[at - begin + 5 : at - begin + 5 + size])
            crc = block[at - begin + 1 : at - begin + 5]
            if len(body) < size or size < 8 or crc32(body).to_bytes(4, "big") != crc:
                break
            if (int.from_bytes(body[:2], "big"), int.from_bytes(body[2:4], "big")) == record:
                places.append(at)
            at += 5 + size
    return places
