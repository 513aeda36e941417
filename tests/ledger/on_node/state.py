# SPDX-License-Identifier: MIT
# state.py make FOLDER N: a boot that keeps N messages. state.py show FOLDER: boots once, prints all
# messages. state.py write FOLDER: keeps messages until killed, and prints each that is on flash.

import sys

from ugs.ledger.journal import Journal

VALUES = {
    "t_ms": 1,
    "phase": 1,
    "class": 1,
    "confidence_pct": 80,
    "peak_um_s_x100": 300,
    "cadence_hz_x20": 36,
    "pir_count": 2,
}

verb, folder = sys.argv[1], sys.argv[2]
journal = Journal(folder)
journal.open()
print("boot", journal.boot)
if verb == "make":
    for i in range(int(sys.argv[3])):
        assert journal.record("detection", dict(VALUES, t_ms=i))[2]
elif verb == "write":
    # Two boots back everything is received: what is kept stays far below the ledger's bound.
    # A receipt is printed before it is applied: the kill may come between.
    print("received", journal.boot - 2, 65535)
    journal.ledger.receipt(journal.boot - 2, 65535)
    i = 0
    while True:
        boot, seq, on_flash = journal.record("detection", dict(VALUES, t_ms=i))
        assert on_flash
        print("kept", boot, seq)
        i += 1
        if i % 50 == 0:
            print("received", boot, seq - 40)
            journal.ledger.receipt(boot, seq - 40)
            journal.ledger.trim()
else:
    message = journal.ledger.after((0, 0))
    while message is not None:
        print("held", message[0], message[1])
        message = journal.ledger.after(message[:2])
