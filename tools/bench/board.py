# SPDX-License-Identifier: MIT
"""Workbench, bench: check a real board, part by part, over its serial port; and what to do next.

A node on the board is stopped meanwhile and started again at the end. The limits are those of the
firmware (firmware/boards/raspberry_pi.py) and of the parts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from tools.bench import on_board
from tools.errors import UserError
from tools.flash.board import Board
from tools.flash.boards import kind_of
from tools.flash.repl import BoardError, CableError

Report = Callable[[str], None]
Prompt = Callable[[str], Any]

_BOARD = "pico_w"  # others have another front end
_SAMPLE_S = 8
_HAND_S = 20  # for what a person does
_OWN_NOISE = 2.0  # counts rms: one code of the converter, four readings summed
_SHORT, _CUT = 233, 1488  # counts of offset
_TAP = 10.0  # times the noise, at least
_SAMPLES_HZ = 250
_GAP_MS = 24.0  # six periods: later than that the sampler counts samples as missed
_HEAP_KB = 180
_RSSI_DBM = -75
_SUPPLY_MV = (1800, 5500)  # of VSYS, Pico W datasheet
_SUPPLY_ADVICE = "measure between VSYS (pin 39) and GND; another USB cable or port"
_BATTERY_MV = (3300, 4250)  # one lithium cell
_BATTERY_ADVICE = "charge it; on a bench supply or USB this may fail. Else the divider at GP28"


@dataclass(frozen=True)
class Check:
    """One line of the result; `next` is what to do where it is not good."""

    name: str
    measured: str
    is_good: bool
    next: str = ""


def to_json(checks: list[Check]) -> dict[str, object]:
    """All of them, and whether all are good."""
    return {"checks": [asdict(one) for one in checks], "ok": all(one.is_good for one in checks)}


def table(checks: list[Check]) -> str:
    """A line each."""
    lines = ["| part | measured | | next |", "|---|---|---|---|"]
    for one in checks:
        word = "pass" if one.is_good else "**fail**"
        lines.append(
            f"| {one.name} | {one.measured} | {word} | {'' if one.is_good else one.next} |"
        )
    return "\n".join(lines)


def check(port: str, prompt: Prompt | None, report: Report) -> list[Check]:
    """All checks, with a person who answers `prompt`, or without one. Raises UserError."""
    board = Board(port)
    try:
        kind = kind_of(board.facts.platform, board.facts.machine)
        if kind.name != _BOARD:
            raise UserError(f"this checks a {_BOARD}; on {port} is a {kind.name}")
        board.hold()
        try:
            return list(_Bench(board, prompt, report).checks())
        finally:
            board.release()
            board.start()
    finally:
        board.close()


class _Bench:
    def __init__(self, board: Board, prompt: Prompt | None, report: Report) -> None:
        self._board = board
        self._prompt = prompt
        self._report = report
        self._noise = _OWN_NOISE

    def checks(self) -> list[Check]:
        """In the order in which they depend on each other."""
        found = [
            self._voltage("supply at VSYS", on_board.SUPPLY, _SUPPLY_MV, _SUPPLY_ADVICE),
            self._heap(),
            self._voltage("battery", on_board.BATTERY, _BATTERY_MV, _BATTERY_ADVICE),
        ]
        self._ask_person("Press Enter, then do not touch the table for ten seconds.")
        found += self._geophone()
        if self._prompt is not None:
            found += [self._tap(), self._pir(), self._tamper()]
        found.append(self._radio())
        return found

    def _voltage(self, name: str, code: str, bounds_mv: tuple[int, int], advice: str) -> Check:
        millivolts = self._run(name, code)
        low, high = bounds_mv
        return Check(name, f"{millivolts} mV", low <= millivolts <= high, advice)

    def _heap(self) -> Check:
        free_kb = self._run("heap", on_board.HEAP) // 1024
        return Check(
            "heap",
            f"{free_kb} KB free without a node",
            free_kb >= _HEAP_KB,
            "flash the official MicroPython again: groundwatch node flash",
        )

    def _geophone(self) -> list[Check]:
        """At rest: its noise, its coil, the rate of the samples and their gaps."""
        found = self._run("geophone at rest", on_board.SAMPLE, _SAMPLE_S)
        rms, offset = found["rms_x100"] / 100, found["offset"]
        self._noise = max(rms, _OWN_NOISE)
        rate = found["count"] * 1e6 / found["us"]
        gap_ms = found["gap_us"] / 1000
        return [
            Check(
                "noise of the converter",
                f"{rms:.1f} counts rms, its own is {_OWN_NOISE:g}",
                rms <= 2 * _OWN_NOISE,
                "a still floor, short wires, another USB supply; the capacitor at the bias",
            ),
            Check(
                "geophone's coil",
                f"offset {offset} counts",
                _SHORT < offset < _CUT,
                "below: shorted. Above: coil or cable is open. See docs/boards/bench.md, step 0",
            ),
            Check(
                "samples",
                f"{rate:.1f} Hz, longest gap {gap_ms:.1f} ms",
                abs(rate - _SAMPLES_HZ) < 1 and gap_ms < _GAP_MS,
                "nothing else may run on this board: groundwatch node flash erases it",
            ),
        ]

    def _tap(self) -> Check:
        self._ask_person("Press Enter, then tap the floor beside the geophone five times.")
        found = self._run("tap", on_board.SAMPLE, _HAND_S)
        times = found["peak"] / self._noise
        return Check(
            "tap at the geophone",
            f"peak {found['peak']} counts, {times:.0f} times the noise",
            times >= _TAP,
            "it has to stand upright on a hard floor; then amplifier and cable",
        )

    def _pir(self) -> Check:
        self._ask_person("Press Enter, then walk past the PIR, 3 m away.")
        edges = self._run("PIR", on_board.EDGES, 15, "PULL_DOWN", _HAND_S)["rises"]
        return Check(
            "PIR",
            f"{edges} pulses",
            edges > 0,
            "it needs 30 s after power-on and 5 V; its output at GP15",
        )

    def _tamper(self) -> Check:
        self._ask_person("Press Enter, then open the tamper switch and close it again.")
        found = self._run("tamper switch", on_board.EDGES, 14, "PULL_UP", _HAND_S)
        return Check(
            "tamper switch",
            f"opened {found['rises']} times, {'open' if found['level'] else 'closed'} at the end",
            found["rises"] > 0 and not found["level"],
            "it connects GP14 to GND while the lid is shut",
        )

    def _radio(self) -> Check:
        try:
            found = self._run("Wi-Fi", on_board.SCAN)
        except UserError as error:
            return Check(
                "Wi-Fi", str(error), False, "power off and on; a board with a W in its name"
            )
        best = max((rssi for _name, rssi in found), default=-128)
        name = next((name for name, rssi in found if rssi == best), "")
        return Check(
            "Wi-Fi",
            f"{len(found)} networks, {name or 'none'} at {best} dBm",
            best >= _RSSI_DBM,
            "nearer to the access point; metal away from the antenna; 2.4 GHz switched on there",
        )

    def _ask_person(self, words: str) -> None:
        if self._prompt is not None:
            self._prompt(f"{words} ")

    def _run(self, what: str, code: str, *values: object) -> Any:
        self._report(f"{what} ...")
        try:
            return self._board.ask(code.format(*values), on_board.ANSWER_S)
        except (BoardError, CableError) as error:
            raise UserError(f"{what}: {error}") from None
