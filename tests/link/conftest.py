# SPDX-License-Identifier: MIT
"""The broker that the tests of the link share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.broker import Broker

USER = "n07"
PASSWORD = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A started broker that knows the users n07 and gateway."""
    made = Broker(tmp_path, {USER: PASSWORD, "gateway": PASSWORD})
    made.start()
    yield made
    made.stop()
