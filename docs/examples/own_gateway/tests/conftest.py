# SPDX-License-Identifier: MIT
"""A mosquitto on a free port of loopback: `broker` is its URL."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[str]:
    """It asks for no password: nodes have theirs from world.mqtt_password(node)."""
    program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = tmp_path / "mosquitto.conf"
    settings.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    process = subprocess.Popen([program, "-c", settings])
    try:
        end_s = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < end_s, "no mosquitto"
                time.sleep(0.05)
        yield f"mqtt://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()
