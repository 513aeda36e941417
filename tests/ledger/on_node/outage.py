# SPDX-License-Identifier: MIT
# A day without a gateway, in virtual time: outage.py FOLDER HOURS WALKS. Walks are detected and a
# tamper switch chatters all the time; at half time the power fails. Then the link is back: each
# message goes to standard output, and the answers of the gateway come from standard input.

import binascii
import sys

from ugs.conditions import Conditions
from ugs.ledger.journal import Journal
from ugs.link.outbox import Outbox

REPORTS = 12  # of one walk: an onset, ten updates, an end
DETECTION = {
    "class": 1,
    "confidence_pct": 80,
    "peak_um_s_x100": 300,
    "cadence_hz_x20": 36,
    "pir_count": 2,
}


def boot(folder):
    journal = Journal(folder)
    journal.open()
    return journal, Conditions(journal.record)


def detect(journal, onset_ms, report):
    values = dict(DETECTION, t_ms=onset_ms, phase=(1, 2, 3)[(report > 0) + (report == REPORTS - 1)])
    made_boot, seq, _on_flash = journal.record("detection", values)
    print("made", made_boot, seq)


def go_through_outage(folder, hours, walks):
    journal, conditions = boot(folder)
    end_s = hours * 3600
    every_s = end_s // walks
    offset_s = 0
    for t_s in range(end_s):
        if t_s == every_s * (walks // 2):
            journal, conditions = boot(folder)
            offset_s = t_s
        now_ms = (t_s - offset_s) * 1000
        conditions.set(now_ms, "tamper", bool(t_s & 1))
        report, rest = divmod(t_s % every_s, 5)
        if rest == 0 and report < REPORTS and t_s < every_s * walks:
            detect(journal, now_ms - 5000 * report, report)
    return journal, conditions


def report_gap(journal, conditions, outbox, now_ms):
    # As ugs.node does once a second.
    dropped = journal.ledger.take_dropped()
    if dropped is not None:
        report = conditions.report(now_ms, "records_dropped", True, dropped[1], dropped[0])
        outbox.send_first(*report[:2])


def talk(journal, conditions):
    print("hello", journal.boot, journal.oldest_seq())
    outbox = Outbox(journal.ledger, lambda: 0.5)
    now_ms = 100_000_000
    print("link", journal.ledger.pending())
    while True:
        message = outbox.take(now_ms)
        if message is not None:
            made_boot, seq, payload = message
            print("up", made_boot, seq, binascii.hexlify(payload).decode())
            continue
        print("wait", journal.ledger.pending())
        answer = sys.stdin.readline().split()
        if not answer:
            return
        now_ms += 250
        if answer[0] != "none":
            outbox.receive([int(number) for number in answer], now_ms)
            journal.settle()
        report_gap(journal, conditions, outbox, now_ms)


talk(*go_through_outage(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
