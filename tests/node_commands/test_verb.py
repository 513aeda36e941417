# SPDX-License-Identifier: MIT
"""`groundwatch node ping|snippet|reboot` against a gateway and a node under real MicroPython."""

from __future__ import annotations

import json
import wave
from pathlib import Path

from tests.node.conftest import walker
from tests.node.yard import Yard, until
from tests.node_commands.conftest import Verb


async def test_commands_of_the_verb_are_done_by_the_node_and_audited(
    micropython: Path, tmp_path: Path, verb: Verb
) -> None:
    yard = Yard(tmp_path, micropython)
    async with yard.gateway() as gateway:
        with yard.node(walker(200, 3, 190)) as node:
            registry = gateway.service.stages.intake.registry
            await until(lambda: registry.views["n01"].board, 60, node)

            code, out, _ = await verb("ping", "n01")
            assert (code, out.split()[:3]) == (0, ["n01", "ping", "done"])

            recording = tmp_path / "n01.wav"
            words = ("--reason", "check of the ground", "--seconds", "4", "--out", str(recording))
            code, out, _ = await verb("snippet", "n01", *words)
            assert code == 0, out
            with wave.open(str(recording)) as file:
                assert (file.getframerate(), file.getnframes()) == (250, 1000)
                samples = file.readframes(1000)
            levels = [abs(int.from_bytes(samples[i : i + 2], "little", signed=True))
                      for i in range(0, 2000, 2)]  # fmt: skip
            # Steps of 8 um/s beside noise of 0.1 um/s: 2000 and 25 units of 4 nm/s.
            assert max(levels) > 500
            assert sorted(levels)[500] < max(levels) / 5

            boot = registry.views["n01"].boot
            code, out, _ = await verb("reboot", "n01", "--reason", "new antenna", "--json")
            assert (code, json.loads(out)["state"]) == (0, "done")
            await until(lambda: registry.views["n01"].boot > boot or node.ended, 60, node)

            code, _, err = await verb("reboot", "n01")
            assert (code, err.count("\n")) == (2, 1)
            code, _, err = await verb("ping", "n99")
            assert (code, "there is no node 'n99'" in err) == (2, True)
            code, _, err = await verb("snippet", "n01", "--reason", "x", "--seconds", "9")
            assert (code, err.count("\n")) == (2, 1)
