# SPDX-License-Identifier: MIT
"""`groundwatch power`: its answers, one line for bad input, and a page that cannot go stale."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tools import cli
from tools.power import goals

ROOT = Path(__file__).resolve().parent.parent.parent
SVG = "{http://www.w3.org/2000/svg}"
EXAMPLE = ["power", "--board", "pico_w", "--mode", "continuous", "--radio", "burst"]
EXAMPLE += ["--latitude", "52", "--panel-w", "5", "--battery", "lifepo4:6Ah"]


def _json(capsys, *words):
    assert cli.main([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_power_of_a_panel_shows_the_worst_week_and_that_nothing_was_measured(capsys):
    assert cli.main(EXAMPLE) == 0
    out = capsys.readouterr().out
    assert "worst week: " in out
    assert "nothing of this was measured on metal" in out
    assert all(kind in out for kind in ("published", "computed", "data sheet"))


def test_power_as_json_has_the_rows_and_365_days(capsys):
    found = _json(capsys, *EXAMPLE)
    assert len(found["charge"]) == 365
    assert found["measured_on_metal"] is False
    assert sum(row["mw"] for row in found["rows"]) == pytest.approx(found["mean_mw"], abs=1e-3)


def test_power_draws_the_year_the_same_each_time(tmp_path, capsys):
    first, again = tmp_path / "a.svg", tmp_path / "b.svg"
    for path in (first, again):
        assert cli.main([*EXAMPLE, "--plot", str(path)]) == 0
    assert first.read_bytes() == again.read_bytes()
    drawn = ElementTree.parse(first).getroot()
    curve = drawn.findall(f"{SVG}path[@class='c']")[0].get("d")
    assert curve.count("L") == 364
    assert any("worst week" in (text.text or "") for text in drawn.iter(f"{SVG}text"))


def test_drawing_in_the_docs_is_what_the_command_draws(tmp_path, capsys):
    assert cli.main([*EXAMPLE, "--plot", str(tmp_path / "year.svg")]) == 0
    kept = ROOT / "docs" / "pictures" / "power-year.svg"
    assert kept.read_text() == (tmp_path / "year.svg").read_text()


def test_power_sizes_panel_and_battery_for_a_place(capsys):
    found = _json(capsys, "power", "--radio", "burst", "--latitude", "52", "--size")
    assert found["survives"]
    assert found["panel_w"] <= 10
    more = _json(
        capsys, "power", "--radio", "burst", "--latitude", "52", "--size", "--shade-pct", "60"
    )
    assert more["panel_w"] > found["panel_w"]


def test_power_on_cells_states_how_many_days_they_last(capsys):
    words = ["power", "--board", "esp32_s3", "--mode", "sentinel", "--battery"]
    alkaline = _json(capsys, *words, "alkaline_d:2")
    lithium = _json(capsys, *words, "lisocl2_d:2")
    assert 200 < alkaline["days"] < lithium["days"]


def test_tables_of_the_page_are_what_the_command_writes():
    page = (ROOT / "docs" / "power.md").read_text()
    for subject, table in goals.tables().items():
        part = page.split(f"<!-- {subject} begin -->\n")[1].split(f"\n<!-- {subject} end -->")[0]
        assert part == table, "groundwatch power --into docs/power.md"


def test_goals_that_are_missed_stand_in_the_tables():
    tables = goals.tables()
    for subject in ("cells", "panel"):
        rows = tables[subject].splitlines()[2:]
        verdicts = [
            cell for row in rows for cell in row.split(" | ") if "year" in cell or "day" in cell
        ]
        missed = [verdict for verdict in verdicts if "missed" in verdict]
        assert 0 < len(missed) < len(verdicts)


def test_into_writes_only_between_the_marks(tmp_path, capsys):
    page = tmp_path / "power.md"
    marks = "".join(
        f"{n}\n<!-- {n} begin -->\nstale table\n<!-- {n} end -->\n" for n in goals.tables()
    )
    page.write_text(marks)
    assert cli.main(["power", "--into", str(page)]) == 0
    text = page.read_text()
    assert "stale table" not in text
    assert all(f"{n}\n<!-- {n} begin -->\n" in text for n in goals.tables())


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--board", "teensy"], "teensy"),
        (["--battery", "lifepo4"], "lifepo4:6Ah"),
        (["--battery", "lifepo4:6Ah", "--panel-w", "5"], "--latitude"),
        (["--battery", "lifepo4:6Ah", "--panel-w", "5", "--latitude", "91"], "--latitude"),
        (["--battery", "lifepo4:6Ah", "--panel-w", "nan", "--latitude", "52"], "--panel-w"),
        (["--battery", "lifepo4:6Ah", "--panel-w", "0", "--latitude", "52"], "--panel-w"),
        (["--battery", "alkaline_d:2", "--panel-w", "5", "--latitude", "52"], "cannot be charged"),
        (["--panel-w", "5"], "--battery"),
        (["--plot", "x.svg"], "--battery"),
        (["--mode", "sentinel", "--board", "esp32_s3", "--radio", "always"], "sleeps"),
        (["--mode", "sentinel"], "no pin wakes pico_w"),
        (["--mode", "asleep"], "asleep"),
        (["--messages-per-day", "inf"], "--messages-per-day"),
        (["--wakes-per-day", "-1"], "--wakes-per-day"),
        (["--size", "--latitude", "52", "--battery", "alkaline_d"], "alkaline_d"),
        (["--size", "--latitude", "52", "--dark-days", "40"], "--dark-days"),
        (["--size", "--latitude", "52", "--climate", "martian"], "martian"),
        (["--size", "--latitude", "52", "--sun-kwh", "1,2"], "--sun-kwh"),
        (["--size", "--latitude", "52", "--sun-kwh", "much"], "--sun-kwh"),
        (["--size", "--latitude", "85", "--shade-pct", "99"], "no panel up to"),
        (["--into", "no/such/page.md"], "no such folder"),
    ],
)
def test_bad_input_gives_one_line_and_exit_2(words, part, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["power", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("groundwatch: ")
    assert err.count("\n") == 1
    assert part in err


def test_plot_into_no_folder_gives_one_line_and_exit_2(capsys):
    assert cli.main([*EXAMPLE, "--plot", "no/such/year.svg"]) == 2
    assert "cannot write" in capsys.readouterr().err


def test_help_has_an_example(capsys):
    assert cli.main(["power", "--help"]) == 0
    assert "groundwatch power --board pico_w" in capsys.readouterr().out
