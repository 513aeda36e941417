# SPDX-License-Identifier: MIT
"""The example package, installed as anyone installs it, passes the conformance suite."""

from __future__ import annotations

import csv
import importlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.app import Gateway
from gateway.config import load_config
from gateway.errors import ConfigError
from gateway.ports.discovery import find_type, known_kinds
from gateway.ports.picture import Change, Delta
from tests.architecture.tree import ROOT
from tests.connectors.conformance import POINTS, applies, table_of_points
from tests.connectors.example_harnesses import EXAMPLES, CsvHarness, plot
from tests.connectors.harnesses import BUILT_IN
from tests.connectors.running import SITE, eventually
from tests.connectors.test_gateway_connectors import configured, walk_past
from tests.ports import free_port
from tools.cli import main

PACKAGE = ROOT / "examples" / "connectors"
NAME = "groundwatch_examples"
OWED = [
    pytest.param(name, title, id=f"{name}-{title.replace(' ', '_')}")
    for name, harness in EXAMPLES.items()
    for title in POINTS
    if applies(title, harness.roles)
]


@pytest.fixture(scope="module", autouse=True)
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """As docs/connectors.md describes it, into a folder of its own."""
    target = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run(
        [*pip, "--disable-pip-version-check", "--target", str(target), str(PACKAGE)],
        check=True,
        timeout=120,
    )
    sys.path.insert(0, str(target))
    importlib.invalidate_caches()
    yield
    sys.path.remove(str(target))
    for name in [one for one in sys.modules if one.startswith(NAME)]:
        del sys.modules[name]


@pytest.mark.parametrize(("name", "title"), OWED)
async def test_example_connector_passes_each_point_that_it_owes(
    name: str, title: str, tmp_path: Path
) -> None:
    _roles, check = POINTS[title]
    await check(EXAMPLES[name](tmp_path))


def test_example_kinds_are_found_beside_the_built_in_ones() -> None:
    assert {*EXAMPLES, *BUILT_IN} <= set(known_kinds())
    with pytest.raises(ConfigError, match="there is no connector kind 'pigeon'; there are csv"):
        find_type("pigeon")


async def test_example_plot_in_degrees_becomes_local_metres(tmp_path: Path) -> None:
    translate = importlib.import_module(f"{NAME}.udp_plots.translate")
    made = translate.parse(
        plot(x_m=None, y_m=None, latitude=52.0001, longitude=13.0), "radar", SITE
    )
    assert made.x_m == pytest.approx(0.0, abs=0.01)
    assert made.y_m == pytest.approx(11.13, abs=0.01)  # 1e-4 degrees of a meridian at 52 N
    assert made.covariance.xx_m2 == 16.0


async def test_example_csv_that_is_full_is_renamed_and_the_new_file_holds_everything(
    tmp_path: Path,
) -> None:
    class Small(CsvHarness):
        def table(self) -> dict[str, object]:
            return {**super().table(), "max_bytes": 10_000}

    harness = Small(tmp_path)
    async with harness.connected() as made:
        full = tmp_path / "out" / "picture.csv.1"
        numbers = iter(range(10_000))

        def is_full() -> bool:
            made.put_node("n01", battery_mv=next(numbers))
            return full.exists()

        await eventually(is_full, 30)
        await eventually(lambda: harness.shown("node", "n03"))
        await eventually(lambda: harness.shown("alarm", "7"))


def test_conformance_table_in_the_docs_is_the_one_that_the_tests_apply() -> None:
    roles = {name: harness.roles for name, harness in (BUILT_IN | EXAMPLES).items()}
    assert table_of_points(roles) in (ROOT / "docs" / "connectors.md").read_text()


async def test_example_source_and_sink_run_in_a_gateway_and_the_plot_survives_replay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    port = free_port(socket.SOCK_DGRAM)
    tables = (
        f'[[connector]]\nkind = "udp_plots"\nname = "radar"\nport = {port}\n'
        '[[connector]]\nkind = "csv"\nname = "log"\npath = "picture.csv"\n'
    )
    monkeypatch.chdir(tmp_path)
    async with Gateway(load_config(configured(tmp_path, tables))) as gateway:
        state = gateway.service.stages.monitor
        nodes = await walk_past(gateway, "n01", "n02")
        await eventually(lambda: state.state.alarms.open)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as radar:
            radar.sendto(plot(x_m=12.0, y_m=2.0), ("127.0.0.1", port))
        events = await eventually(lambda: [one for one in state.state.fusion.events if one.plots])
        for node in nodes:
            node.disconnect()
        rows = await eventually(lambda: track_rows(tmp_path / "picture.csv", events[0].id))
    (event,) = events
    assert {one.source for one in event.plots} == {"radar"}
    assert set(event.nodes) == {"n01", "n02"}
    assert rows[-1]["error_m"] and float(rows[-1]["y_m"]) != float(rows[0]["y_m"])
    assert main(["replay", "--store", "data/groundwatch.db", "--json"]) == 0
    assert '"identical": true' in capsys.readouterr().out


def track_rows(path: Path, name: str) -> list[dict[str, str]]:
    """What the sink wrote of a track, once it moved."""
    if not path.exists():
        return []
    rows = csv.DictReader(path.read_text().splitlines(keepends=True))
    found = [row for row in rows if (row["kind"], row["id"]) == ("track", name) and row["y_m"]]
    return found if len({row["y_m"] for row in found}) > 1 else []


@pytest.mark.parametrize(
    "path",
    [
        "csv_sink/config.py",
        "csv_sink/run.py",
        "udp_plots/translate.py",
        "udp_plots/run.py",
    ],
)
def test_code_in_the_docs_is_the_code_of_the_example_package(path: str) -> None:
    text = (PACKAGE / NAME / path).read_text()
    code = text.partition("from __future__ import annotations\n")[2].strip()
    assert f"```python\n{code}\n```" in (ROOT / "docs" / "connectors.md").read_text()


def test_example_csv_rows_state_what_is_true_and_what_is_gone() -> None:
    translate = importlib.import_module(f"{NAME}.csv_sink.translate")
    rows, header = translate.rows, translate.HEADER
    place = {"x_m": 1.5, "y_m": -2.0, "latitude": None, "error_m": 3.0, "at_us": 42}
    delta = Delta(9, True, [Change("alarm", "7", place), Change("node", "n01", None)])
    whole, put, removed = (dict(zip(header, row, strict=True)) for row in rows(delta, 99))
    assert (whole["written_us"], whole["change"], whole["id"]) == ("99", "whole", "")
    assert (put["change"], put["kind"], put["id"]) == ("put", "alarm", "7")
    assert (put["x_m"], put["y_m"], put["latitude"], put["error_m"]) == ("1.5", "-2.0", "", "3.0")
    assert (removed["change"], removed["kind"], removed["id"]) == ("removed", "node", "n01")
    assert rows(Delta(9, False, []), 99) == []
