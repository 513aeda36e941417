# SPDX-License-Identifier: MIT
"""A node that floods has its share and no more; the others do not notice."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from gateway.app import Gateway
from gateway.config import load_config
from gateway.intake import admission
from gateway.intake.admission import BURST, RATE_PER_S, Gate
from gateway.ports.link import Arrival
from tests.gateway.bench import PlayedLink
from tests.gateway.brokers import running_mosquitto
from tests.gateway.played_node import MqttNode, PlayedNode, until, write_config
from tests.ports import free_port

T0 = 1_790_000_000_000_000


class Queue:
    def __init__(self) -> None:
        self.full = False
        self.topics: list[str] = []

    def offer(self, arrival: Arrival) -> bool:
        if not self.full:
            self.topics.append(arrival.topic)
        return not self.full


class Bench:
    def __init__(self) -> None:
        self.queue, self.acknowledged = Queue(), 0
        self.refused: dict[tuple[str, str], int] = {}
        self.gate = Gate("yard", ["n01", "n02"], self.queue.offer, self.count)

    def count(self, reason: str, node: str) -> None:
        self.refused[(reason, node)] = self.refused.get((reason, node), 0) + 1

    def offer(self, topic: str, at_us: int = T0) -> bool:
        def acknowledge() -> None:
            self.acknowledged += 1

        return self.gate.offer(Arrival(at_us, topic, b"", PlayedLink(), acknowledge))


UP = PlayedNode("n01").up
OTHER = PlayedNode("n02").up


def test_gate_flood_of_one_node_is_cut_and_counted_and_others_pass() -> None:
    bench = Bench()
    for _ in range(BURST + 500):
        assert bench.offer(UP)
    assert bench.queue.topics == [UP] * BURST
    assert bench.refused == {("too_fast", "n01"): 500}
    assert bench.acknowledged == 500
    assert bench.offer(OTHER)
    assert bench.queue.topics[-1] == OTHER


def test_gate_share_comes_back_with_time_up_to_the_burst() -> None:
    bench = Bench()
    for _ in range(BURST):
        bench.offer(UP)
    for _ in range(RATE_PER_S + 50):
        bench.offer(UP, T0 + 1_000_000)
    assert len(bench.queue.topics) == BURST + RATE_PER_S
    for _ in range(3 * BURST):
        bench.offer(UP, T0 + 10**12)
    assert len(bench.queue.topics) == 2 * BURST + RATE_PER_S


def test_gate_clock_set_back_gives_no_share_and_takes_none() -> None:
    bench = Bench()
    for _ in range(BURST):
        bench.offer(UP)
    bench.offer(UP, T0 - 10**15)
    assert len(bench.queue.topics) == BURST
    bench.offer(UP, T0 - 10**15 + 20_000)
    assert len(bench.queue.topics) == BURST + 1


def test_gate_full_queue_gives_the_share_back_and_reports_it() -> None:
    bench = Bench()
    bench.queue.full = True
    for _ in range(5 * BURST):
        assert not bench.offer(UP)
    bench.queue.full = False
    for _ in range(BURST):
        assert bench.offer(UP)
    assert bench.refused == {}
    assert bench.acknowledged == 0


@pytest.mark.parametrize("topic", ["", "x", "groundwatch/v1/yard/zz/up", "a/" * 50, UP + "/more"])
def test_gate_topics_of_no_node_share_one_bucket(topic: str) -> None:
    bench = Bench()
    for _ in range(BURST // 2):
        bench.offer(topic)
        bench.offer("groundwatch/v1/yard/stranger/up")
    bench.offer(topic)
    assert bench.refused == {("too_fast", "-"): 1}


@pytest.mark.long
async def test_gateway_flooded_by_one_node_stores_the_others_and_then_all_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "BURST", 50)
    port, flood, rng = free_port(), 300, random.Random(1)
    async with running_mosquitto(tmp_path, port, wanted=True):
        config = write_config(tmp_path, f'kind = "external"\nport = {port}')
        async with Gateway(load_config(config)) as gateway:
            loud, quiet = MqttNode("n01"), MqttNode("n02")
            for node in (loud, quiet):
                node.connect(port)
            await until(lambda: loud.subscribed and quiet.subscribed)
            for node in (loud, quiet):
                node.publish(node.hello(0))
            for number in range(flood):
                loud.detection(number)
            quiet.detection(5)

            def send(node: MqttNode, most: int) -> None:  # again what has no receipt
                waiting = sorted(dict(node.ledger).items())  # receipts come in another thread
                for _key, record in rng.sample(waiting, min(most, len(waiting))):
                    node.client.publish(node.up, record, qos=0)

            def quiet_is_received_amid_the_flood() -> bool:
                send(loud, 100)
                send(quiet, 1)
                return refused["too_fast", "n01"] > 100 and not quiet.ledger

            def all_is_stored() -> bool:
                send(loud, 2)
                return not loud.ledger

            refused = gateway.service.stages.intake.refused.cells
            await until(quiet_is_received_amid_the_flood, 20)
            await until(all_is_stored, 60)
            assert ("too_fast", "n02") not in refused
            for node in (loud, quiet):
                node.disconnect()
        assert gateway.service.stages.intake.detections == flood + 1
