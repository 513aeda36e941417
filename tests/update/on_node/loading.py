# SPDX-License-Identifier: MIT
# The update's code is loaded a module at a time, and the sampling task looks in between.

import asyncio
import sys

from ugs.update.updater import BAD_SIGNATURE, Updater

SAMPLE_MS = 100
looks = 0
mounts = []  # (looks so far, modules loaded so far)
results = []


def loaded():
    names = ("sha512", "ed25519", "image", "manifest", "install")
    return sum("ugs.update." + name in sys.modules for name in names)


class Slots:
    command = floor = 0
    on_trial = False

    def spare(self):
        return "b"

    def mount(self):
        mounts.append((looks, loaded()))

    def umount(self):
        pass


async def sample():
    global looks
    while True:
        looks += 1
        await asyncio.sleep_ms(SAMPLE_MS)


async def main():
    updater = Updater(
        bytes(32),
        "pico_w",
        1,
        Slots(),
        lambda name, values: results.append(values["value"]),
        lambda: None,
        lambda: None,
        lambda: None,
    )
    tasks = [asyncio.create_task(sample()), asyncio.create_task(updater.run(lambda: 0))]
    order = bytes(96) + (1000).to_bytes(4, "big")
    assert updater.take({"id": 7, "data": order}, 0) is None
    while not results:
        await asyncio.sleep_ms(20)
    for task in tasks:
        task.cancel()


asyncio.run(main())
assert results == [BAD_SIGNATURE], results
assert [count for _looks, count in mounts] == [0, 1, 2, 3, 4], mounts
for at in range(4):
    assert mounts[at + 1][0] > mounts[at][0], mounts
assert loaded() == 0
print("ok")
