# SPDX-License-Identifier: MIT
# lookup.py NAME PORT [SEED COUNT]: looks NAME up at a name server on this port of 127.0.0.1 and
# prints the address or the error, and the longest time in ms that another task had to wait. With a
# seed it parses COUNT damaged answers instead.

import asyncio
import random
import sys
from time import ticks_diff, ticks_ms

from ugs.link import resolver
from ugs.link.address import is_address

_NUMBER = 0x1234


async def watch(gap):
    last = ticks_ms()
    while True:
        await asyncio.sleep_ms(10)
        now = ticks_ms()
        gap[0] = max(gap[0], ticks_diff(now, last))
        last = now


async def look_up(name, port):
    gap = [0]
    task = asyncio.create_task(watch(gap))
    try:
        print("found", await resolver.resolve(name, "127.0.0.1", port))
    except OSError as error:
        print("failed", error)
    task.cancel()
    print("gap", gap[0])


def damage(seed, count):
    random.seed(seed)
    question = resolver.question_of("broker.field.example")
    head = b"\x12\x34\x81\x80\0\1\0\2\0\0\0\0"
    alias = b"\xc0\x0c\0\5\0\1\0\0\0\x3c\0\4\1b\xc0\x13"
    whole = head + question + alias + b"\xc0\x2e\0\1\0\1\0\0\0\x3c\0\4\x0a\0\0\7"
    assert resolver.parse_answer(whole, _NUMBER, question) == "10.0.0.7"
    for size in range(len(whole)):
        assert resolver.parse_answer(whole[:size], _NUMBER, question) is None, size
    odd = 0
    for _ in range(count):
        data = bytearray(whole)
        for _ in range(random.randrange(1, 4)):
            data[random.randrange(len(data))] = random.getrandbits(8)
        found = resolver.parse_answer(
            bytes(data[: random.randrange(len(data) + 1)]), 4660, question
        )
        assert found is None or is_address(found), found
        odd += found not in (None, "10.0.0.7")
    print("odd", odd)


if len(sys.argv) > 3:
    damage(int(sys.argv[3]), int(sys.argv[4]))
else:
    asyncio.run(look_up(sys.argv[1], int(sys.argv[2])))
