# SPDX-License-Identifier: MIT
"""Simrun: fixtures of pytest for a gateway of one's own: docs/own-gateway-tests.md.

pytest loads this module in every environment that Groundwatch is installed in. So all that it needs
is imported when a fixture is used.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sim_hardware.impaired import ImpairedLink
    from tools.simrun.own_tests import FleetRun, TestWorld

_OPTION = "--groundwatch-seed"
_SEEDS = pytest.StashKey[list[int]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The seed of tests that name none."""
    group = parser.getgroup("groundwatch", "simulated Groundwatch nodes")
    group.addoption(
        _OPTION,
        type=int,
        default=1,
        metavar="N",
        help="seed of simulated worlds, where a test gives none (default: 1)",
    )


@pytest.fixture
def groundwatch_world(request: pytest.FixtureRequest) -> Iterator[Callable[..., TestWorld]]:
    """Make simulated ground with nodes: groundwatch_world(seed=None, scenario=None, site=None,
    fleet_key=None)."""
    folders: list[Path] = []

    def make(
        seed: int | None = None,
        *,
        scenario: str | Path | None = None,
        site: str | Path | None = None,
        fleet_key: str | Path | bytes | None = None,
    ) -> TestWorld:
        from tools.simrun.own_tests import make_world

        chosen = int(request.config.getoption(_OPTION)) if seed is None else seed
        request.node.stash.setdefault(_SEEDS, []).append(chosen)
        folder = Path(tempfile.mkdtemp(prefix="groundwatch-"))
        folders.append(folder)
        return make_world(folder, chosen, scenario, site, fleet_key)

    yield make
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def groundwatch_link() -> Callable[..., ImpairedLink]:
    """Make a link that can be cut, delayed and lossy: groundwatch_link(world, loss_pct=0,
    delay_s=0.0)."""

    def make(world: TestWorld, *, loss_pct: int = 0, delay_s: float = 0.0) -> ImpairedLink:
        from sim_hardware.impaired import ImpairedLink

        link = ImpairedLink(seed=world.seed)
        link.loss_pct = loss_pct
        link.delay_s = delay_s
        return link

    return make


@pytest.fixture
def groundwatch_fleet(
    groundwatch_world: Callable[..., TestWorld],
) -> Iterator[Callable[..., FleetRun]]:
    """Run the nodes of a world: async with groundwatch_fleet(world, broker, link=None) as nodes."""
    # It asks for groundwatch_world so that nodes end before their folders are removed.
    runs: list[FleetRun] = []

    def run(world: TestWorld, broker: str, link: ImpairedLink | None = None) -> FleetRun:
        from tools.simrun.own_tests import FleetRun, run_fleet

        runs.append(FleetRun(run_fleet(world, broker, link)))
        return runs[-1]

    yield run
    ended = [one.end() for one in runs]
    if any(ended):
        pytest.fail("groundwatch_fleet was entered and never left: use `async with`", pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test shows the seeds of its worlds."""
    report = yield
    seeds = item.stash.get(_SEEDS, [])
    if report.failed and seeds:
        named = ", ".join(str(seed) for seed in dict.fromkeys(seeds))
        line = f"seed {named} (a test that gives none takes it from {_OPTION})"
        add = getattr(report.longrepr, "addsection", None)
        if add is None:
            report.sections.append(("groundwatch", line))
        else:
            add("groundwatch", line)
    return report
