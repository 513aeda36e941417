# SPDX-License-Identifier: MIT
"""`groundwatch sim run`: one line for an error; two runs against a real gateway."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from gateway.config.site import load_site
from tests.ports import free_port
from tests.simrun.process import SITE, GatewayProcess, make_site
from tools.cli import main

EMPTY = '[site]\nname = "yard"\n'


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[GatewayProcess]:
    gateway = GatewayProcess(make_site(tmp_path, SITE, ""))
    gateway.start()
    yield gateway
    gateway.stop()


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ([], "name the broker, as in --broker"),
        (["--gateway", "http://127.0.0.1:{port}"], "no gateway answers at"),
        (["--broker", "127.0.0.1:{port}"], "no broker answers at 127.0.0.1:{port}"),
        (["--broker", "127.0.0.1"], "must be HOST:PORT"),
        (["--broker", "a:1", "--gateway", "b"], "give one of them"),
        (["--site", "absent.toml"], "absent.toml"),
        (["--nodes", "n01,n77"], "'n77' is no node of the site yard"),
        (["--loss", "95"], "95"),
        (["--seconds", "nan"], "finite"),
    ],
)
def test_mistake_of_the_user_is_one_line_and_exit_2(
    words: list[str],
    part: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_site(tmp_path, SITE, "")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GROUNDWATCH_API", raising=False)
    port = free_port()
    assert main(["sim", "run", *(word.format(port=port) for word in words)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("groundwatch: ") and err.count("\n") == 1
    assert part.format(port=port) in err


def test_site_without_nodes_names_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_site(tmp_path, EMPTY, "")
    monkeypatch.chdir(tmp_path)
    for words in ([], ["--nodes", "n01"]):
        assert main(["sim", "run", "--broker", "127.0.0.1:1", *words]) == 2
        assert "the site yard has no nodes yet: add some" in capsys.readouterr().err
    assert (tmp_path / "site.toml").read_text() == EMPTY


def test_nodes_are_added_to_a_site_without_nodes_once_and_join_its_gateway(tmp_path: Path) -> None:
    gateway = GatewayProcess(make_site(tmp_path, EMPTY, ""))
    gateway.start()
    try:
        for _ in range(2):
            lines = sim_run(tmp_path, "--seconds", "8", "--add", "2")
            assert {one["node"] for one in lines if one["type"] == "link_up"} == {"n01", "n02"}
        assert [one["messages"] > 0 for one in gateway.get("/nodes")["nodes"]] == [True, True]
    finally:
        gateway.stop()
    site = load_site(tmp_path / "site.toml")
    assert [(node.id, node.x_m, node.y_m) for node in site.nodes.values()] == [
        ("n01", 0.0, 0.0),
        ("n02", 25.0, 0.0),
    ]


def sim_run(folder: Path, *words: str) -> list[dict[str, object]]:
    command = [sys.executable, "-m", "tools.cli", "sim", "run", "--json", *words]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


def test_nodes_run_against_own_gateway_and_continue_their_counters_in_the_next_run(
    gateway: GatewayProcess, tmp_path: Path
) -> None:
    lines = sim_run(tmp_path, "--seconds", "12", "--seed", "3")
    kinds = [line["type"] for line in lines]
    assert kinds.count("node_started") == 2
    assert {line["node"] for line in lines if line["type"] == "link_up"} == {"n01", "n02"}
    onsets = [line for line in lines if line["type"] == "onset"]
    summary = lines[-1]
    assert len(onsets) == summary["onsets"] >= 1
    assert (summary["nodes_linked"], summary["crossings"], summary["passes"]) == (2, [], 1)
    assert {one["node"] for one in gateway.get("/detections")["detections"]} >= {
        line["node"] for line in onsets[:1]
    }

    broker = "{}:{}".format(*gateway.broker)
    lines = sim_run(tmp_path, "--seconds", "5", "--broker", broker, "--nodes", "n02")
    assert [line["boot"] for line in lines if line["type"] == "node_started"] == [2]
    assert lines[-1]["nodes_linked"] == 1
    running = [" ".join(one.info["cmdline"] or []) for one in psutil.process_iter(["cmdline"])]
    assert not [line for line in running if "run_node.py" in line and str(tmp_path) in line]
