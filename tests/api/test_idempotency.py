# SPDX-License-Identifier: MIT
"""Idempotency keys: one act, one answer, for each person."""

from __future__ import annotations

import asyncio

import pytest

from gateway.api import idempotency
from gateway.api.call import ApiError
from gateway.api.idempotency import Answers, Reply
from gateway.api.schema.answers import Done


class Acts:
    """Counts how often it was done."""

    def __init__(self) -> None:
        self.done = 0
        self.hold = asyncio.Event()
        self.hold.set()

    async def act(self) -> Reply:
        await self.hold.wait()
        self.done += 1
        return Reply(200, Done(until_us=self.done))


async def test_key_sent_twice_acts_once_and_has_the_same_answer() -> None:
    acts, answers = Acts(), Answers()
    first = await answers.once("eva", "k1", b"x", acts.act)
    again = await answers.once("eva", "k1", b"x", acts.act)
    assert (first.body, first.replayed) == (again.body, False)
    assert again.replayed
    assert acts.done == 1


async def test_key_of_another_person_or_no_key_acts_again() -> None:
    acts, answers = Acts(), Answers()
    for who, key in (("eva", "k1"), ("ben", "k1"), ("eva", ""), ("eva", "")):
        await answers.once(who, key, b"x", acts.act)
    assert acts.done == 4


async def test_key_used_for_another_request_is_refused() -> None:
    acts, answers = Acts(), Answers()
    await answers.once("eva", "k1", b"x", acts.act)
    with pytest.raises(ApiError) as caught:
        await answers.once("eva", "k1", b"y", acts.act)
    assert caught.value.status == 422


async def test_key_of_an_act_still_under_way_joins_it() -> None:
    acts, answers = Acts(), Answers()
    acts.hold.clear()
    with pytest.raises(ApiError) as caught:
        await answers.once("eva", "k1", b"x", acts.act, wait_s=0.01)
    assert caught.value.status == 503
    second = asyncio.create_task(answers.once("eva", "k1", b"x", acts.act))
    acts.hold.set()
    assert (await second).body == Done(until_us=1)
    assert acts.done == 1


async def test_key_of_an_act_that_failed_may_try_again() -> None:
    acts, answers = Acts(), Answers()

    async def fail() -> Reply:
        raise ApiError(503, "the store is away")

    with pytest.raises(ApiError):
        await answers.once("eva", "k1", b"x", fail)
    assert (await answers.once("eva", "k1", b"x", acts.act)).status == 200


async def test_keys_are_bounded_and_the_oldest_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "MAX_KEYS", 2)
    acts, answers = Acts(), Answers()
    for key in ("k1", "k2", "k3", "k1"):
        await answers.once("eva", key, b"x", acts.act)
    assert acts.done == 4
    await answers.once("eva", "k3", b"x", acts.act)
    assert acts.done == 4


async def test_act_that_a_person_was_asked_to_try_again_acts_once_whatever_the_key() -> None:
    """A button pressed three times while the disk is slow: a new key each time."""
    acts, answers = Acts(), Answers()
    acts.hold.clear()
    for key in ("k1", "k2", ""):
        with pytest.raises(ApiError) as caught:
            await answers.once("eva", key, b"mask west", acts.act, wait_s=0.01)
        assert caught.value.status == 503
    acts.hold.set()
    last = await answers.once("eva", "k4", b"mask west", acts.act)
    assert (acts.done, last.replayed) == (1, True)
    # It was answered: the same request later is another act; and so is that of another person.
    await answers.once("eva", "k5", b"mask west", acts.act)
    await answers.once("ben", "k6", b"mask west", acts.act)
    assert acts.done == 3


async def test_act_answered_with_try_again_long_ago_is_not_joined(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(idempotency, "AGAIN_S", 0.0)
    acts, answers = Acts(), Answers()
    acts.hold.clear()
    with pytest.raises(ApiError):
        await answers.once("eva", "k1", b"x", acts.act, wait_s=0.01)
    acts.hold.set()
    await asyncio.sleep(0.05)
    await answers.once("eva", "k2", b"x", acts.act)
    assert acts.done == 2
