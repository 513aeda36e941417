# SPDX-License-Identifier: MIT
"""The Home Assistant connector in a process of its own, to be killed: argument 1 is the port."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from gateway.ports.discovery import find_type
from tests.connectors.running import eventually, running


async def main(port: int) -> None:
    table = {"kind": "home_assistant", "name": "ha", "host": "127.0.0.1", "port": port}
    async with running(find_type("home_assistant"), table, Path()) as made:
        made.put_site()
        await eventually(lambda: made.status.state == "connected")
        print("connected", flush=True)  # noqa: T201  # what the test waits for
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
