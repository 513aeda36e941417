# SPDX-License-Identifier: MIT
# client.py PORT USER PASSWORD COUNT: connects, publishes COUNT messages on test/up, prints what
# comes on test/down, and stays until killed or the connection breaks.

import asyncio
import sys

from ugs.link import packets
from ugs.link.mqtt import Connection
from ugs.tasks import until_one_ends

port, user, password, count = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])


def on_message(topic, payload):
    print("got", topic.decode(), payload.decode())


async def main():
    connection = Connection(on_message)
    hello = packets.connect("n07", user, password, "test/up", b"will", 30)

    async def publish():
        for i in range(count):
            await connection.publish("test/up", b"message %d" % i)
        while connection._unacked:
            await asyncio.sleep_ms(10)
        print("published", count)
        await asyncio.sleep(60)

    try:
        await connection.open("127.0.0.1", port, hello, "test/down")
        print("open")
        await until_one_ends(connection.read(), connection.keep_alive(), publish())
    except Exception as error:
        print("ended", type(error).__name__, error)
    await connection.close()


asyncio.run(main())
