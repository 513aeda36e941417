# SPDX-License-Identifier: MIT
"""What is mutated, and the tests that have to see it: fast ones first, for pytest ends at the first
failure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Target(NamedTuple):
    """Modules as patterns below the root, and the tests that are run for each mutant of them."""

    modules: Sequence[str]
    tests: Sequence[str]


TARGETS = {
    "intake": Target(
        ["gateway/intake/**/*.py"],
        [
            "tests/gateway/test_authenticator.py",
            "tests/gateway/test_pipeline.py",
            "tests/gateway/test_epochs.py",
            "tests/gateway/test_boot_turns.py",
            "tests/gateway/test_conditions.py",
            "tests/gateway/test_footfalls.py",
            "tests/gateway/test_coverage.py",
            "tests/gateway/test_clock.py",
            "tests/gateway/test_quarantine.py",
            "tests/gateway/test_revocation.py",
            "tests/gateway/test_app.py",
            "tests/attacks/test_messages.py",
            "tests/store/test_refused.py",
        ],
    ),
    "alarms": Target(
        ["gateway/alarms/*.py"],
        [
            "tests/gateway/test_alarms.py",
            "tests/gateway/test_alarm_actions.py",
            "tests/gateway/test_arming.py",
            "tests/gateway/test_confirmation.py",
            "tests/gateway/test_coverage.py",
            "tests/gateway/test_full_queue.py",
            "tests/gateway/test_alarm_properties.py",
            "tests/gateway/test_monitor_faults.py",
        ],
    ),
    "ledger": Target(
        ["firmware/ugs/ledger/*.py"],
        [
            "tests/ledger/test_ledger.py",
            "tests/ledger/test_wear.py",
            "tests/ledger/test_outage.py",
            "tests/ledger/test_power_cut.py",
        ],
    ),
    "seal": Target(
        ["gateway/wire/seal.py", "firmware/ugs/wire/seal.py"],
        [
            "tests/wire/test_vectors.py",
            "tests/wire/test_hostile_input.py",
            "tests/wire/test_keys.py",
        ],
    ),
}
