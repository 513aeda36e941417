# SPDX-License-Identifier: MIT
"""`groundwatch bench board` and `bench node`: their output, without a board."""

from __future__ import annotations

import json

import pytest

from tools.bench import board, node, node_run, on_board
from tools.cli import main
from tools.errors import UserError
from tools.flash.board import Facts

GOOD = {
    on_board.SUPPLY: 4900,
    on_board.HEAP: 190 * 1024,
    on_board.BATTERY: 3900,
    on_board.SCAN: [["site", -60], ["other", -90]],
}
STILL = {"count": 2000, "us": 8_000_100, "gap_us": 4100, "offset": 700, "peak": 9, "rms_x100": 210}
TAPPED = {**STILL, "peak": 800}


class FakeBoard:
    """Answers each piece of code from a table; records the calls."""

    machine = "Raspberry Pi Pico W with RP2040"
    made: FakeBoard

    def __init__(self, _port: str) -> None:
        FakeBoard.made = self
        self.facts = Facts("rp2", self.machine, (1, 25, 0), "id", 0, 4870, 190_000)
        self.done: list[str] = []
        self.samples = [STILL, TAPPED]
        self.edges = [{"rises": 2, "level": 0}, {"rises": 1, "level": 0}]

    def __getattr__(self, name: str):
        return lambda: self.done.append(name)

    def ask(self, code: str, _timeout_s: float):
        if code in GOOD:
            return GOOD[code]
        return self.edges.pop(0) if "_rises" in code else self.samples.pop(0)


@pytest.fixture
def fake(monkeypatch):
    monkeypatch.setattr(board, "Board", FakeBoard)
    monkeypatch.setattr(FakeBoard, "machine", "Raspberry Pi Pico W with RP2040")
    return FakeBoard


def run(capsys, *words: str) -> tuple[int, str, str]:
    status = main(["bench", *words])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def test_bench_board_good_board_passes_each_check_and_restarts_its_node(fake, monkeypatch, capsys):
    asked = []
    monkeypatch.setattr("builtins.input", asked.append)
    status, out, _err = run(capsys, "board", "--port", "/dev/ttyACM0", "--json")
    report = json.loads(out)
    assert (status, report["ok"]) == (0, True)
    assert len(report["checks"]) == 10 and all(one["is_good"] for one in report["checks"])
    assert len(asked) == 4 and all(words.startswith("Press Enter") for words in asked)
    assert fake.made.done == ["hold", "release", "start", "close"]


def test_bench_board_failed_check_names_the_remedy(fake, monkeypatch, capsys):
    monkeypatch.setitem(GOOD, on_board.BATTERY, 90)
    status, out, _err = run(capsys, "board", "--port", "/dev/ttyACM0", "--alone")
    assert status == 1
    (line,) = (line for line in out.splitlines() if line.startswith("| battery"))
    assert "90 mV" in line and "**fail**" in line and "charge it" in line
    assert "tap" not in out and "| geophone's coil | offset 700 counts | pass |" in out


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"offset": 100}, "geophone's coil"),
        ({"offset": 2000}, "geophone's coil"),
        ({"rms_x100": 900}, "noise of the converter"),
        ({"gap_us": 30_000}, "samples"),
        ({"us": 8_400_000}, "samples"),
    ],
)
def test_bench_board_geophone_out_of_limits_fails_its_check(fake, monkeypatch, change, name):
    monkeypatch.setattr(FakeBoard, "ask", lambda _self, code, _s: GOOD.get(code, STILL | change))
    failed = [one.name for one in board.check("port", None, lambda _line: None) if not one.is_good]
    assert failed == [name]


def test_bench_board_of_another_kind_is_refused_and_closed(fake, monkeypatch):
    monkeypatch.setattr(FakeBoard, "machine", "Generic ESP32 module with ESP32")
    with pytest.raises(UserError):
        board.check("port", None, lambda _line: None)
    assert fake.made.done[-1] == "close"


def test_bench_board_without_a_port_is_one_line(capsys):
    status, out, err = run(capsys, "board")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "--port /dev/ttyACM0" in err


def test_bench_node_without_an_image_is_one_line(capsys, monkeypatch, tmp_path):
    pytest.importorskip("rp2040py")
    monkeypatch.delenv("PICO_W_UF2", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for words in ((), ("--image", str(tmp_path / "none.uf2"))):
        status, out, err = run(capsys, "node", *words)
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert "image" in err


def test_bench_node_for_no_time_is_one_line(capsys):
    status, _out, err = run(capsys, "node", "--minutes", "0")
    assert (status, err.count("\n")) == (2, 1)
    assert "--minutes" in err


def figures(**changed: float) -> node.Figures:
    good = {
        "first_sample_s": 3.2,
        "first_sample_update_s": 4.2,
        "unfed_s": 1.7,
        "gc_ms": 9.0,
        "gc_update_ms": 19.0,
        "cpu_pct": 9.5,
        "cpu_update_pct": 40.0,
        "update_s": 70.0,
        "heap_used_kb": 104.0,
        "samples_missed": 0,
    }
    return node.Figures(
        release="1.25.0", minutes=2, wall_s=900, detections=12, **{**good, **changed}
    )


def test_node_table_has_a_row_for_each_goal_and_names_those_missed():
    assert not figures().missed()
    one = figures(gc_ms=22.0, samples_missed=3)
    assert [goal.name for goal in one.missed()] == ["gc_ms", "samples_missed"]
    assert one.to_json()["missed_goals"] == ["gc_ms", "samples_missed"]
    assert one.to_json()["goals"]["gc_ms"] == 11.0
    rows = [line for line in node.table(one).splitlines() if "<=" in line]
    assert len(rows) == len(node.GOALS)
    assert sum("**missed**" in row for row in rows) == 2
    assert sum("| met |" in row for row in rows) == len(node.GOALS) - 2
    assert "| 22.00 | <= 11 |" in node.table(one)


def test_bench_help_shows_an_example(capsys):
    assert main(["bench", "--help"]) == 0
    assert "groundwatch bench" in capsys.readouterr().out


class FakeAsk:
    """A board whose time passes with each look at its load; the Wi-Fi and an update take effect."""

    def __init__(self) -> None:
        self.now_us = 10_000_000
        self.done: list[str] = []
        self.restarted_us = 0
        self.lines: list[tuple[int, str]] = []
        self.print(
            "bench heap_bytes=205696",
            "node started node=n01 heap_free=98000",
            "link up host=10.0.0.1",
            "bench gc_us=9900",
            "sampling rate_hz_x100=25000 missed=3 overruns=0",
        )

    def print(self, *lines: str) -> None:
        self.lines += [(self.now_us, line) for line in lines]

    def order(self) -> None:
        self.done.append("update")
        self.ordered_us = self.now_us

    def __call__(self, do: str, **fields: object) -> dict:
        if do == "load":
            self.now_us += int(float(fields["for_s"]) * 1e6)
            if "update" not in self.done:
                self.print("detection boot=1 seq=1")
                return {"looks": 100, "busy": 8}
            self.pass_update()
            return {"looks": 100, "busy": 40}
        if do == "line" and "after" in fields:
            assert (fields["has"], fields["after"]) == ("sampling ", len(self.lines))
            self.print("sampling rate_hz_x100=25000 missed=1 overruns=0")
        if do in ("take", "wifi"):
            self.done.append(do)
        if do == "wifi":
            assert (fields["state"], fields["for_ms"]) == ("off", 20_000)
            self.print("link up host=10.0.0.1")
        return {
            "time": {"emulated_us": self.now_us},
            "counters": {"first_reading_us": self.restarted_us + 3_010_000},
            "feeds": {"feeds_us": [at for at in FEEDS_US if at >= fields.get("since_us", 0)]},
            "lines": {"lines": [list(line) for line in self.lines[fields.get("after", 0) :]]},
        }.get(do, {})

    def pass_update(self) -> None:
        if self.now_us >= self.ordered_us + 10_000_000 and "node restarts" not in str(self.lines):
            self.restarted_us = self.now_us
            self.print(
                "update whole version=999000000 tree=b",
                "bench gc_us=19800",
                "node restarts uptime_ms=90000 detail=update missed=4",
                "bench heap_bytes=205696",
                "node started node=n01 heap_free=97000",
                "sampling rate_hz_x100=25000 missed=0 overruns=0",
            )


FEEDS_US = [100_000, 1_300_000, 3_400_000, 3_900_000]


def test_node_run_measures_from_the_boards_output(tmp_path):
    ask = FakeAsk()
    found = node_run.NodeRun(ask, ask.order, lambda _line: None).measure(tmp_path, 0.5)
    assert ask.done == ["take", "wifi", "update", "take"]
    assert (found.first_sample_s, found.first_sample_update_s) == (3.01, 3.01)
    assert (found.unfed_s, found.gc_ms, found.gc_update_ms) == (2.1, 9.9, 19.8)
    assert (found.working.pct, found.updating.pct) == (8.0, 40.0)
    assert found.samples_missed == 4 + 1  # of the first start, and of the second one
    assert round(found.heap_used_kb, 1) == round((205_696 - 97_000) / 1024, 1)
    assert found.minutes > 0.5  # as long as the update took


def test_missed_samples_reported_only_at_the_end_of_a_start_are_counted():
    lines = ["node started x", "node restarts uptime_ms=5 detail=radio missed=7", "node started x"]
    assert node_run.missed(lines) == 7
    assert node_run.missed([*lines, "sampling rate_hz_x100=1 missed=2 overruns=0"]) == 9


def test_node_run_whose_update_does_not_come_is_one_line(tmp_path):
    ask = FakeAsk()
    ask.pass_update = lambda: None
    with pytest.raises(UserError, match="no update"):
        node_run.NodeRun(ask, ask.order, lambda _line: None).measure(tmp_path, 0.5)
