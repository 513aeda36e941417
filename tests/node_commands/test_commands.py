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
def test_command_with_another_outcome_states_the_reason(
    bench: Bench, status: wire.ResultStatus
) -> None:
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


BURST = Running(3, T0 - 10_000_000, schema=3, contact_s=750, seen_us=T0 - 60_000_000)


def received(bench: Bench, at_us: int) -> None:
    bench.running["n01"] = BURST._replace(seen_us=at_us)


def test_command_to_a_node_in_radio_burst_waits_for_its_contact_and_does_not_expire(
    bench: Bench,
) -> None:
    bench.running["n01"] = BURST
    wait_us = bench.commands.wait_us("n01")
    assert wait_us == (300 + 2 * 750) * 1_000_000
    assert "within 13 min" in bench.commands.objection("n01", PING, 5 * MINUTE_US)
    assert bench.commands.objection("n01", PING, wait_us) == ""
    command, down = bench.commands.order(T0, "n01", PING, "mia", "test", T0 + wait_us)
    assert (down, bench.state(command.id)[0]) == ((), NodeCommandState.WAITING)
    assert command.contact_s == 750
    for minute in range(1, 12):
        assert bench.commands.tick(T0 + minute * MINUTE_US) == []
    # The contact fails before the node has it; it comes again at the next one.
    at_us = T0 + 12 * MINUTE_US
    received(bench, at_us)
    assert len(bench.commands.receive("n01", 3, hello(), at_us)) == 1
    assert bench.commands.receive("n01", 3, hello(), at_us + 1) == []
    health = wire.Health(t_ms=1, battery_mv=1, rssi_dbm=0, floor_um_s_x100=0, samples_missed=0,
                         ledger_pending=0)  # fmt: skip
    assert bench.commands.receive("n01", 3, health, at_us + 2) == []
    assert bench.commands.tick(at_us + RESEND_US) == []
    at_us += 12 * MINUTE_US
    received(bench, at_us)
    assert len(bench.commands.receive("n01", 3, hello(), at_us)) == 1
    bench.commands.receive("n01", 3, result(command.id), at_us + 1)
    assert bench.state(command.id)[0] is NodeCommandState.DONE


def test_command_to_a_node_that_stays_connected_in_radio_burst_goes_with_its_next_message(
    bench: Bench,
) -> None:
    bench.running["n01"] = BURST
    command, down = bench.order()
    assert down == ()
    at_us = T0 + 20_000_000
    received(bench, at_us)
    condition = wire.Condition(t_ms=1, kind=wire.ConditionKind.TAMPER, active=1)
    assert len(bench.commands.receive("n01", 3, condition, at_us)) == 1
    assert bench.commands.receive("n01", 3, condition, at_us + 1) == []
    assert bench.state(command.id)[0] is NodeCommandState.SENT


@pytest.mark.parametrize(
    "kind", [NodeCommandKind.CONFIGURE, NodeCommandKind.IDENTIFY, NodeCommandKind.LOG]
)
def test_command_that_the_firmware_does_not_know_is_refused_at_once(
    bench: Bench, kind: NodeCommandKind
) -> None:
    for version, objects in ((1, True), (2, True), (3, False), (0, False)):
        bench.running["n01"] = BURST._replace(schema=version, contact_s=0)
        assert ("update it first" in bench.commands.objection("n01", kind)) == objects
        assert bench.commands.objection("n01", PING) == ""


def test_configure_is_sent_as_data_and_ends_with_what_the_node_has(bench: Bench) -> None:
    settings = {"heartbeat_s": 600, "threshold_x10": -5}
    command, ((_node, message),) = bench.commands.order(
        T0, "n01", NodeCommandKind.CONFIGURE, "mia", "test", T0 + MINUTE_US, settings=settings
    )
    assert message.data == bytes.fromhex("010258 03fffb")
    in_use = bytes.fromhex("010258 020000 03fffb")
    done = wire.Result(t_ms=1, command_id=command.id, status=wire.ResultStatus.OK, data=in_use)
    bench.commands.receive("n01", 3, done, T0 + 1)
    ended = bench.commands.find(command.id)
    assert ended is not None
    assert ended.answer_settings == {"heartbeat_s": 600, "radio": 0, "threshold_x10": -5}


@pytest.mark.parametrize("data", [b"\x01", b"\x01\xff\xff", b"\x02\x00\x00\x01\x00\x3c", None])
def test_result_with_settings_that_cannot_be_is_taken_without_them(
    bench: Bench, data: bytes | None
) -> None:
    command, _down = bench.commands.order(
        T0, "n01", NodeCommandKind.CONFIGURE, "mia", "x", T0 + MINUTE_US, settings={"radio": 1}
    )
    done = wire.Result(t_ms=1, command_id=command.id, status=wire.ResultStatus.OK, data=data)
    bench.commands.receive("n01", 3, done, T0 + 1)
    ended = bench.commands.find(command.id)
    assert ended is not None
    assert (ended.state, ended.answer_settings) == (NodeCommandState.DONE, None)


def test_rejection_states_its_reason(bench: Bench) -> None:
    command, _down = bench.commands.order(
        T0, "n01", NodeCommandKind.IDENTIFY, "mia", "x", T0 + MINUTE_US, 20
    )
    refused = wire.Result(t_ms=1, command_id=command.id, status=wire.ResultStatus.REFUSED, value=5)
    bench.commands.receive("n01", 3, refused, T0 + 1)
    assert "busy with another" in bench.state(command.id)[1]
