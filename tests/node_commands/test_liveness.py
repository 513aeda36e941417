# SPDX-License-Identifier: MIT
"""A node is missed by the heartbeat that it states: not before, and not for ever."""

from __future__ import annotations

import pytest

from gateway.intake.floors import NoiseFloors
from gateway.intake.nodes.registry import LOST_AFTER_US, NodeRegistry
from gateway.model.node_settings import DEFAULTS, encode
from gateway.wire import messages as wire

T0 = 1_790_000_000_000_000
SECOND_US = 1_000_000


def hello(
    t_ms: int = 0,
    settings: bytes | None = None,
    radio_s: int | None = None,
    asleep_s: int | None = None,
) -> wire.Hello:
    return wire.Hello(t_ms=t_ms, fw="1", board="pico_w", schema=3, heap_free=1, fs_hz=250,
                      reset_cause=wire.ResetCause.POWER_ON, settings=settings,
                      radio_s=radio_s, asleep_s=asleep_s)  # fmt: skip


def stated(**values: int) -> bytes:
    return encode({**DEFAULTS, **values})


def lost_after(settings: bytes | None) -> int:
    """Seconds of silence, to a quarter, after which a node is missed that stated these."""
    registry = NodeRegistry({"n01": "gate"})
    registry.on_fresh("n01", 1, T0)
    registry.on_hello("n01", 1, hello(settings=settings))
    for second in range(0, 20_000, 5):
        if registry.tick(T0 + second * SECOND_US):
            return second
    return 20_000


@pytest.mark.parametrize(
    ("settings", "seconds"),
    [
        (None, 180),
        (stated(), 180),
        (stated(heartbeat_s=30), 180),
        (stated(heartbeat_s=300), 900),
        (stated(heartbeat_s=1800, radio=1), 5400),
        (stated(heartbeat_s=3600, radio=1), 10_800),
        # What a node of a later version, or in other hands, states.
        (b"\x01\x7f\xff", 180),
        (b"\x01", 180),
        (b"\x7f\x00\x01", 180),
        (b"", 180),
    ],
)
def test_node_is_missed_after_three_of_its_heartbeats(settings: bytes, seconds: int) -> None:
    assert lost_after(settings) == pytest.approx(seconds, abs=6)
    assert LOST_AFTER_US == 180 * SECOND_US


def test_contacts_are_those_of_a_node_in_radio_burst_only() -> None:
    registry = NodeRegistry({"n01": "gate"})
    view = registry.views["n01"]
    assert view.contact_s == 0
    registry.on_hello("n01", 1, hello(settings=stated(heartbeat_s=600)))
    assert view.contact_s == 0
    registry.on_hello("n01", 1, hello(settings=stated(heartbeat_s=600, radio=1)))
    assert view.contact_s == 750
    # Safe mode states none: it stays connected.
    registry.on_hello("n01", 2, hello())
    assert (view.contact_s, view.settings) == (0, None)


def test_radio_share_is_of_one_boot_and_never_more_than_all_of_it() -> None:
    registry = NodeRegistry({"n01": "gate"})
    view = registry.views["n01"]
    burst = stated(radio=1)

    def after_hello(boot: int, t_s: int, radio_s: int | None) -> float | None:
        registry.on_hello("n01", boot, hello(t_s * 1000, burst, radio_s))
        return view.radio_share

    assert after_hello(1, 100, 50) is None
    assert after_hello(1, 1100, 60) == pytest.approx(0.01)
    assert after_hello(1, 2100, 9_999_999) == 1.0
    assert after_hello(2, 100, 5) == 1.0  # nothing to compare with yet
    assert after_hello(2, 1100, 25) == pytest.approx(0.02)
    assert after_hello(2, 2100, None) is None


def test_share_of_sleep_is_that_of_a_sentinel() -> None:
    registry = NodeRegistry({"n01": "gate"})
    view = registry.views["n01"]
    burst, sentinel = stated(radio=1), stated(radio=1, sampling=1)

    def after_hello(t_s: int, settings: bytes, radio_s: int, asleep_s: int | None) -> float | None:
        registry.on_hello("n01", 1, hello(t_s * 1000, settings, radio_s, asleep_s))
        return view.asleep_share

    assert after_hello(100, sentinel, 50, 0) is None
    assert after_hello(1100, sentinel, 52, 950) == pytest.approx(0.95)
    assert view.is_sentinel and view.radio_share == pytest.approx(0.002)
    assert after_hello(2100, burst, 60, None) is None
    assert not view.is_sentinel


def test_floor_of_a_sentinel_is_not_passed_to_fusion() -> None:
    registry = NodeRegistry({"n01": "gate"})
    floors = NoiseFloors()
    registry.on_hello("n01", 1, hello(settings=stated(radio=1)))
    health = wire.Health(
        t_ms=1, battery_mv=3900, rssi_dbm=-60, floor_um_s_x100=7, samples_missed=0, ledger_pending=0
    )
    assert floors.received("n01", 10, registry.on_health("n01", health))
    registry.on_hello("n01", 1, hello(settings=stated(radio=1, sampling=1)))
    view = registry.on_health("n01", health)
    assert floors.received("n01", 1_000_000_000, view) == []
    assert view.floor_um_s == 0.07


def test_view_that_an_earlier_gateway_stored_is_taken_up() -> None:
    registry = NodeRegistry({"n01": "gate"})
    registry.restore("n01", '{"boot": 7, "fw": "0.1", "battery_mv": 3900}')
    view = registry.views["n01"]
    assert (view.boot, view.settings, view.contact_s, view.lost_after_us) == (
        7, None, 0, LOST_AFTER_US,
    )  # fmt: skip
