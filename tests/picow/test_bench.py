# SPDX-License-Identifier: MIT
"""`groundwatch bench node` and `bench board` against the emulated Pico W."""

from __future__ import annotations

import json

import pytest

from tests.picow.board import PicoW
from tests.picow.ground import write_walk
from tools.bench import board, node
from tools.cli import main

PIR, TAMPER = 15, 14
SECOND_US = 1_000_000


@pytest.mark.picow
def test_bench_board_passes_an_emulated_board_with_all_its_parts(pico_w_image, tmp_path):
    walk = write_walk(tmp_path / "walk")
    asked = []
    with PicoW(pico_w_image, tmp_path) as pico:
        pico.ask("pin", gpio=TAMPER, level=False)
        pico.ask("adc", channel=3, code=2_068)  # 5.0 V at VSYS, a third of it

        def pulse(gpio: int) -> None:
            now_us = pico.emulated_us
            pico.ask("pin", gpio=gpio, level=True, at_us=now_us + 8 * SECOND_US)
            pico.ask("pin", gpio=gpio, level=False, at_us=now_us + 9 * SECOND_US)

        def prompt(words: str) -> None:
            asked.append(words)
            if "tap" in words:
                pico.ask("take", folder=str(walk), node="n01")
            elif "PIR" in words:
                pulse(PIR)
            elif "tamper" in words:
                pulse(TAMPER)

        pico.plugged()
        checks = board.check(str(pico.port), prompt, print)
    print(board.table(checks))
    assert len(asked) == 4
    # The emulated radio has no signal strength to assess.
    assert [one.name for one in checks if not one.is_good] in ([], ["Wi-Fi"])


@pytest.mark.picow
def test_bench_node_prints_every_goal_and_meets_it(pico_w_image, capsys):
    status = main(["bench", "node", "--image", str(pico_w_image), "--minutes", "0.5", "--json"])
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    print(result)
    assert result["goals"] == {goal.name: goal.most for goal in node.GOALS}
    assert result["goals"].keys() <= result.keys()
    assert (status, result["missed_goals"]) == (0, [])
    # It includes an update, however short the run; and no sample is lost by that.
    assert result["update_s"] > 10 and result["minutes"] > 0.5
    assert result["detections"] > 0
