# SPDX-License-Identifier: MIT
# bad_peers.py PORT PORT ...: one connection to each at the same time; prints how each one ended.

import asyncio
import sys
from time import ticks_diff, ticks_ms

from ugs.link import packets
from ugs.link.mqtt import Connection
from ugs.tasks import until_one_ends


async def meet(port):
    start = ticks_ms()
    connection = Connection(lambda topic, payload: None)
    hello = packets.connect("n07", "n07", "x", "t", b"will", 30)

    async def publish():
        while True:
            await connection.publish("t", b"x" * 200)
            await asyncio.sleep_ms(0)

    try:
        await connection.open("127.0.0.1", port, hello, "d")
        await until_one_ends(connection.read(), connection.keep_alive(), publish())
        outcome = "returned"
    except (OSError, EOFError, packets.MqttError, asyncio.TimeoutError) as error:
        outcome = type(error).__name__
    await connection.close()
    print(port, outcome, ticks_diff(ticks_ms(), start))


async def main():
    await asyncio.gather(*[meet(int(port)) for port in sys.argv[1:]])


asyncio.run(main())
