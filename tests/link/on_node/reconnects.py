# SPDX-License-Identifier: MIT
# reconnects.py PORT USER PASSWORD COUNT DEAD HANGS_UP SILENT: connects to a broker repeatedly,
# in between to ports without a listener, to a peer that hangs up and to one that stays silent;
# prints how many descriptors are open after each tenth of it.

import asyncio
import gc
import os
import sys

from ugs.link import packets
from ugs.link.mqtt import Connection
from ugs.tasks import until_one_ends

port, user, password, count = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
dead, hangs_up, silent = [int(text) for text in sys.argv[5:8]]
HELLO = packets.connect("n07", user, password, "test/up", b"will", 30)


async def visit(at, limit_s=20):
    connection = Connection(lambda topic, payload: None)

    async def publish():
        await connection.publish("test/up", b"message")
        while connection._unacked:
            await asyncio.sleep_ms(1)

    async def stay():
        await connection.open("127.0.0.1", at, HELLO, "test/down")
        await until_one_ends(connection.read(), connection.keep_alive(), publish())
        await connection.close(disconnect=True)
        return "done"

    try:
        return await asyncio.wait_for(stay(), limit_s)
    except (OSError, EOFError, packets.MqttError, asyncio.TimeoutError) as error:
        return type(error).__name__
    finally:
        await connection.close()


async def main():
    for i in range(count):
        assert await visit(port) == "done"
        assert await visit(dead) == "OSError"
        assert await visit(hangs_up) in ("EOFError", "OSError")
        if i % 10 == 0:
            assert await visit(silent, 0.05) == "TimeoutError"
        if i % (count // 10) == 0:
            # The unix port frees no socket here, but the boards do: the test counts closed ones.
            gc.collect()
            print("descriptors", len(os.listdir("/proc/self/fd")))


asyncio.run(main())
