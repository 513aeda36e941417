# SPDX-License-Identifier: MIT
"""A mail server that answers "later" for hours: each person gets each alarm once."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from gateway.outbox.outbox import Status
from gateway.outbox.worker import RetryPolicy
from tests.connectors.receivers import mail_server
from tests.outbox.deliveries import T0, Deliveries, S, changed, deliveries, delivering
from tests.virtual_loop import run_virtual

LATER = ("451 4.7.1 Greylisted", "450 4.2.0 try later", "421 4.3.2 shutting down", "452 4.2.2 full")
SIZES = [
    pytest.param(600.0, 2, id="ten_minutes"),
    pytest.param(7200.0, 10, id="two_hours", marks=pytest.mark.faults),
]


@pytest.mark.parametrize("answer", LATER)
@pytest.mark.parametrize(("grey_s", "alarms"), SIZES)
def test_mail_greylisted_for_hours_reaches_every_person_once(
    grey_s: float, alarms: int, answer: str, tmp_path: Path
) -> None:
    people = ("duty@example.net", "chief@example.net", "gate@example.net")

    async def play() -> Counter[tuple[str, str]]:
        loop = asyncio.get_running_loop()
        begin_s = loop.time()

        def recipient(to: str) -> str | None:
            # One of three is known to the server already.
            return answer if to != people[0] and loop.time() - begin_s < grey_s else None

        async with mail_server(recipient=recipient) as server:
            made = mail(tmp_path, server.port, people)
            made.worker.clock_us = lambda: T0 + int((loop.time() - begin_s) * S)
            async with delivering(made):
                for number in range(1, alarms + 1):
                    made.offer(changed(number), now_us=T0 + number * 10 * S)
                while made.outbox.pending:
                    assert loop.time() - begin_s < grey_s + 1000.0  # two of the longest waits
                    await asyncio.sleep(30.0)
        assert {status for _id, status, _n, _why in made.settled} == {Status.SENT}
        late = [str(m["Subject"]) for m in server.handler.messages if m["To"] != people[0]]
        assert all(" min late: yard: person in west" in subject for subject in late)
        return Counter((str(m["To"]), str(m["Subject"])) for m in server.handler.messages)

    got = run_virtual(play())
    assert Counter(dict.fromkeys(people, 0) | _by_person(got)) == dict.fromkeys(people, alarms)
    print(f"\n{answer!r} for {grey_s:.0f} s: {3 * alarms} notifications, each received once")


def _by_person(got: Counter[tuple[str, str]]) -> Counter[str]:
    found = Counter[str]()
    for (to, _subject), count in got.items():
        found[to] += count
    return found


def mail(folder: Path, port: int, to: tuple[str, ...]) -> Deliveries:
    return deliveries(
        folder,
        RetryPolicy(),
        kind="email",
        host="127.0.0.1",
        port=port,
        tls="none",
        to=list(to),
        per_minute=600,
        **{"from": "yard@example.net"},
    )
