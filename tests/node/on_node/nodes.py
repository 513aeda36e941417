# SPDX-License-Identifier: MIT
# One case of a whole node on a simulated board: nodes.py CASE; prints "ok" last.

import sys
import time

from ugs.node import Node
from ugs.wire import codec


class Part:
    pass


def make_node():
    board = Part()
    board.name, board.nm_s_per_count_x256 = "pico_w", 3_581
    board.sampler, board.pir, board.tamper, board.wlan = Part(), None, Part(), Part()
    board.sampler.fs_hz = 250
    board.sampler.start = board.sampler.keep_time = lambda: None
    board.input_levels = (32, 233, 1_488)
    board.coil_answers = lambda: False
    board.battery_mv = lambda: 3900
    config = Part()
    config.site, config.node, config.key = "north", "n07", bytes(range(32))
    config.ssid = config.passphrase = config.host = config.address = ""
    config.port = 1883
    config.is_wired = False
    config.release = None
    slots = Part()
    slots.cause, slots.detail, slots.on_trial = 0, "", False
    return Node(board, config, slots)


def keep_detections(node, count):
    values = {"phase": 1, "class": 1, "confidence_pct": 80, "peak_um_s_x100": 300}
    for number in range(count):
        values.update({"t_ms": number, "cadence_hz_x20": 36, "pir_count": 2})
        node.journal.record("detection", values)


def hello_states_the_boot_of_its_number():
    node = make_node()
    keep_detections(node, 5)
    node.journal.ledger.receipt(1, 5)
    node.journal._volatile_seq = 65535
    node.on_connect()
    name, values = node.next_volatile(1000)
    assert (name, values["oldest_seq"]) == ("hello", 1), values
    assert node.journal.next_volatile() == (2, 1)


def reboot_requested_again_is_not_delayed():
    # A failed trial requests it every second.
    node = make_node()
    node.request_reboot("trial")
    due_ms = node.reboot_ms
    time.sleep_ms(20)
    node.request_reboot("command")
    assert (node.reboot_ms, node._reboot_detail) == (due_ms, "trial")


def gap_is_recorded_once_for_a_gateway_that_never_gives_a_receipt():
    node = make_node()
    keep_detections(node, 3)
    node.journal.ledger.receipt(1, 2)
    node.session.is_answered = True
    outbox = node.session.outbox
    reports = 0
    for now_ms in range(0, 3_600_000, 1_000):
        while outbox.take(now_ms) is not None:
            pass
        if outbox.is_stuck():
            reports += 1
            node._report_gaps(now_ms)
    assert reports > 50
    assert node.journal.ledger.pending() == 2, node.journal.ledger.pending()


def dropped_records_are_reported_first():
    node = make_node()
    keep_detections(node, 1281)
    node._report_gaps(0)
    node._report_gaps(1000)
    boot, seq, payload = node.session.outbox.take(1000)
    name, values = codec.decode(payload)
    assert (boot, seq, name) == (1, 1282, "condition"), (boot, seq, name)
    assert (values["kind"], values["value"], values["boot"]) == (6, 64, 1), values
    assert node.session.outbox.take(1000)[:2] == (1, 65)


globals()[sys.argv[1]]()
print("ok")
