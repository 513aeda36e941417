# SPDX-License-Identifier: MIT
"""Commands to nodes: sent again until answered, never in another boot, always over at some time."""

from __future__ import annotations

import pytest

from gateway.audit.log import AuditLog
from gateway.model.actions.node_command import NodeCommandKind, NodeCommandState
from gateway.node_commands.commands import (
    GRACE_US,
    KEPT,
    OPEN_MAX,
    RESEND_US,
    NodeCommands,
    Running,
)
from gateway.store.interface import Snapshot, Writes
from gateway.wire import messages as wire

T0 = 1_790_000_000_000_000
MINUTE_US = 60_000_000
PING, REBOOT = NodeCommandKind.PING, NodeCommandKind.REBOOT


class Bench:
    def __init__(self) -> None:
        self.running: dict[str, Running] = {"n01": Running(3, T0 - 10_000_000)}
        self.audit = AuditLog()
        self.commands = self.made()

    def made(self) -> NodeCommands:
        return NodeCommands(self.running.get, lambda: 7, self.audit)

    def order(self, kind: NodeCommandKind = PING, node: str = "n01", at_us: int = T0):
        return self.commands.order(at_us, node, kind, "mia", "test", at_us + 5 * MINUTE_US)

    def state(self, number: int) -> tuple[NodeCommandState, str]:
        command = self.commands.find(number)
        assert command is not None
        return command.state, command.problem

    def audited(self) -> list[str]:
        writes = Writes()
        self.audit.collect(writes)
        return [row.action for row in writes.audit]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def result(number: int, status: wire.ResultStatus = wire.ResultStatus.OK) -> wire.Result:
    return wire.Result(t_ms=1, command_id=number, status=status)


def hello() -> wire.Hello:
    return wire.Hello(t_ms=0, fw="1", board="pico_w", schema=1,
                      reset_cause=wire.ResetCause.POWER_ON, fs_hz=250, heap_free=1)  # fmt: skip


def test_command_is_sent_at_once_with_its_end_in_uptime_and_done_by_the_result(
    bench: Bench,
) -> None:
    command, ((node, message),) = bench.order()
    assert (node, message.id, message.kind) == ("n01", command.id, wire.CommandKind.PING)
    assert message.expires_ms == 310_000  # it ran for 10 s, and has five minutes
    assert bench.state(command.id) == (NodeCommandState.SENT, "")
    assert bench.commands.receive("n01", 3, result(command.id), T0 + 1) == ()
    assert bench.state(command.id) == (NodeCommandState.DONE, "")
    assert bench.commands.tick(T0 + RESEND_US) == []
    assert bench.audited() == ["command.ping", "command.done"]


@pytest.mark.parametrize("status", [one for one in wire.ResultStatus if one.value])
def test_command_with_another_outcome_says_why(bench: Bench, status: wire.ResultStatus) -> None:
    command, _down = bench.order()
    bench.commands.receive("n01", 3, result(command.id, status), T0 + 1)
    state, problem = bench.state(command.id)
    assert (state.value, bool(problem)) == (status.label, True)


def test_command_without_an_answer_is_sent_again_and_then_over(bench: Bench) -> None:
    command, _down = bench.order()
    assert bench.commands.tick(T0 + RESEND_US - 1) == []
    (again,) = bench.commands.tick(T0 + RESEND_US)
    assert again[1].id == command.id
    assert bench.commands.tick(T0 + 5 * MINUTE_US) == []
    assert bench.state(command.id)[0] is NodeCommandState.SENT
    bench.commands.tick(T0 + 5 * MINUTE_US + GRACE_US)
    assert bench.state(command.id) == (NodeCommandState.EXPIRED, "the node did not answer in time")


def test_command_to_a_node_that_is_not_known_yet_waits_for_its_hello(bench: Bench) -> None:
    command, down = bench.order(node="n02")
    assert (down, bench.state(command.id)[0]) == ((), NodeCommandState.WAITING)
    bench.running["n02"] = Running(1, T0 + 1_000_000)
    ((node, message),) = bench.commands.receive("n02", 1, hello(), T0 + 1_000_000)
    assert (node, message.id) == ("n02", command.id)
    never, _down = bench.order(node="n03")
    bench.commands.tick(T0 + 5 * MINUTE_US + GRACE_US)
    assert bench.state(never.id) == (NodeCommandState.EXPIRED, "it was never sent")


def test_reboot_is_not_sent_in_the_boot_that_it_made(bench: Bench) -> None:
    command, _down = bench.order(REBOOT)
    bench.running["n01"] = Running(4, T0 + 2_000_000)
    assert not bench.commands.receive("n01", 4, hello(), T0 + 3_000_000)
    assert bench.commands.tick(T0 + RESEND_US) == []
    bench.commands.tick(T0 + 3_000_000 + GRACE_US)
    assert bench.state(command.id) == (NodeCommandState.DONE, "the node has restarted")


def test_result_out_of_the_ledger_after_a_restart_counts(bench: Bench) -> None:
    command, _down = bench.order()
    bench.running["n01"] = Running(4, T0)
    bench.commands.receive("n01", 4, hello(), T0 + 1)
    bench.commands.receive("n01", 4, result(command.id), T0 + 2)
    assert bench.state(command.id)[0] is NodeCommandState.DONE
    other, _down = bench.order(at_us=T0 + 10)
    bench.running["n01"] = Running(5, T0)
    bench.commands.receive("n01", 5, hello(), T0 + 11)
    bench.commands.tick(T0 + 11 + GRACE_US)
    assert bench.state(other.id)[1] == "the node restarted before it answered"


def test_result_of_another_node_changes_nothing(bench: Bench) -> None:
    command, _down = bench.order()
    bench.commands.receive("n02", 1, result(command.id), T0 + 1)
    bench.commands.receive("n01", 3, result(command.id + 1), T0 + 1)
    assert bench.state(command.id)[0] is NodeCommandState.SENT


def test_commands_of_a_node_are_bounded_and_numbered_once(bench: Bench) -> None:
    numbers = []
    for _ in range(OPEN_MAX):
        assert bench.commands.objection("n01", PING) == ""
        numbers.append(bench.order()[0].id)
    assert len(set(numbers)) == OPEN_MAX
    assert "wait" in bench.commands.objection("n01", PING)
    assert bench.commands.objection("n02", PING) == ""
    assert [one.id for one in bench.commands.of("n01")] == numbers[::-1]


def test_commands_after_a_restart_of_the_gateway_go_on(bench: Bench) -> None:
    command, _down = bench.order()
    writes = Writes()
    bench.commands.collect(writes)
    again = bench.made()
    again.restore(Snapshot(state=dict(writes.state)))
    assert again.find(command.id) == bench.commands.find(command.id)
    assert again.receive("n01", 3, result(command.id), T0 + 1) == ()
    assert again.find(command.id).state is NodeCommandState.DONE
    assert again.order(T0, "n01", PING, "mia", "test", T0 + 1)[0].id > command.id


def test_ended_commands_are_kept_for_a_while_only(bench: Bench) -> None:
    numbers = []
    for at_us in range(T0, T0 + KEPT + 5):
        number = bench.order(at_us=at_us)[0].id
        bench.commands.receive("n01", 3, result(number), at_us)
        numbers.append(number)
    writes = Writes()
    bench.commands.collect(writes)
    kept = {int(name.partition(":")[2]) for name, value in writes.state.items() if value}
    assert kept == set(numbers[5:])
    assert bench.commands.find(numbers[0]) is None
