# SPDX-License-Identifier: MIT
"""Every built-in connector passes every point of the conformance suite that its roles owe."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.connectors.conformance import POINTS, applies
from tests.connectors.harnesses import BUILT_IN

OWED = [
    pytest.param(name, title, id=f"{name}-{title.replace(' ', '_')}")
    for name, harness in BUILT_IN.items()
    for title in POINTS
    if applies(title, harness.roles)
]


@pytest.mark.parametrize(("name", "title"), OWED)
async def test_built_in_connector_passes_each_point_that_it_owes(
    name: str, title: str, tmp_path: Path
) -> None:
    _roles, check = POINTS[title]
    await check(BUILT_IN[name](tmp_path))
