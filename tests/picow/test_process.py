# SPDX-License-Identifier: MIT
"""The emulated board as a program of its own: port, reset, power, pins, names, radio, its end."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sim_hardware.emulated.inputs import GEOPHONE_CHANNEL
from sim_hardware.emulated.network import HOST, SSID
from sim_hardware.parts.front_end import BOARDS
from tests.picow.board import PicoW

pytestmark = pytest.mark.picow

JOIN = f"""
import network, socket, time
nic = network.WLAN(network.STA_IF)
nic.active(True)
def join(limit_ms):
    nic.connect({SSID!r}, "any eight characters")
    end = time.ticks_add(time.ticks_ms(), limit_ms)
    while not nic.isconnected() and time.ticks_diff(end, time.ticks_ms()) > 0:
        time.sleep_ms(20)
    return nic.isconnected(), nic.status()
"""

KEEP = """
with open("kept", "w") as file:
    file.write("5")
"""
# Starts a board, waits for it, prints its process, and is killed.
PARENT = """
import subprocess, sys, time
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, text=True)
while child.stdout.readline() != "ready\\n":
    pass
print(child.pid, flush=True)
time.sleep(3600)
"""


def mpremote(port: Path, *words: str) -> str:
    """MicroPython's own tool, as a process."""
    ran = subprocess.run(
        [sys.executable, "-m", "mpremote", "connect", str(port), *words],
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_mpremote_works_on_the_port_and_the_port_survives_resets(pico_w_image, tmp_path):
    with PicoW(pico_w_image, tmp_path) as pico:
        assert mpremote(pico.port, "exec", "print(6 * 7)").split() == ["42"]
        source = tmp_path / "kept.py"
        source.write_text("VALUE = 5\n")
        mpremote(pico.port, "cp", str(source), ":kept.py")
        boots = pico.ask("time")["boots"]
        mpremote(pico.port, "reset")
        pico.plugged(boots + 1)  # mpremote does not wait for it
        assert mpremote(pico.port, "exec", "import kept; print(kept.VALUE)").split() == ["5"]
        pico.ask("reset")
        pico.plugged(boots + 2)
        assert pico.run("import kept; print(kept.VALUE)").split() == ["5"]
        assert pico.ask("time")["boots"] == boots + 2


def test_power_cut_keeps_the_flash_and_nothing_else(pico_w_image, tmp_path):
    causes = "import machine; print(machine.reset_cause() == machine.PWRON_RESET)"
    with PicoW(pico_w_image, tmp_path) as pico:
        pico.run(KEEP + "x = 1")
        pico.ask("power", on=False)
        assert not pico.port.exists()
        before_us = pico.emulated_us
        time.sleep(0.3)
        assert pico.emulated_us == before_us
        with pytest.raises(AssertionError, match="no power"):
            pico.ask("wait", until_us=before_us + 1)
        with pytest.raises(AssertionError, match="no power"):
            pico.ask("line", has="never printed")
        pico.ask("power", on=True)
        pico.plugged()
        assert pico.run("print(open('kept').read(), 'x' in globals())").split() == ["5", "False"]
        assert pico.run(causes).split() == ["True"]
        assert pico.emulated_us > before_us


def test_flash_file_carries_the_files_to_the_next_run(pico_w_image, tmp_path):
    words = ("--flash", str(tmp_path / "flash.bin"))
    with PicoW(pico_w_image, tmp_path, *words) as pico:
        pico.run(KEEP)
    with PicoW(pico_w_image, tmp_path, *words) as pico:
        assert pico.run("print(open('kept').read())").split() == ["5"]


def test_pin_edges_come_at_their_emulated_time(pico_w_image, tmp_path):
    watch = """
import machine, time
times, count = [0] * 40, 0  # nothing may be allocated in a hard interrupt
def on_edge(pin):
    global count
    times[count] = time.ticks_us()
    count += 1
pin = machine.Pin(15, machine.Pin.IN)
pin.irq(on_edge, machine.Pin.IRQ_RISING, hard=True)
"""
    script = "time.sleep_ms(2500); print([time.ticks_diff(t, times[0]) for t in times[:count]])"
    with PicoW(pico_w_image, tmp_path) as pico:
        pico.run(watch)
        now_us = pico.emulated_us
        # Pulses of 1 ms, 100 ms apart.
        for number in range(10):
            for offset_us, level in ((0, True), (1000, False)):
                at_us = now_us + 500_000 + 100_000 * number + offset_us
                pico.ask("pin", gpio=15, level=level, at_us=at_us)
        printed = pico.run(script)
    edges = [int(text) for text in re.findall(r"\d+", printed)]
    assert len(edges) == 10
    gaps = [after - before for before, after in zip(edges, edges[1:], strict=False)]
    assert all(abs(gap - 100_000) < 100 for gap in gaps), gaps


def test_converter_reads_the_ground_and_two_channels_in_turn(pico_w_image, tmp_path):
    # RP2040 datasheet 4.9.5: CS at 0x4004c000, FCS at 0x8, FIFO at 0xc; RROBIN is bits 20..16.
    script = """
from machine import ADC, mem32
ADC(26), ADC(28)
CS, FCS, FIFO = 0x4004C000, 0x4004C008, 0x4004C00C
mem32[FCS] = 1
got = []
mem32[CS] = (0b101 << 16) | 1
for _ in range(4):
    mem32[CS] = mem32[CS] | 4
    while not mem32[CS] & 0x100:
        pass
    got.append(mem32[FIFO] & 0xFFF)
print(got)
"""
    with PicoW(pico_w_image, tmp_path) as pico:
        pico.ask("adc", channel=2, code=777)
        got = [int(text) for text in re.findall(r"\d+", pico.run(script))]
        assert got[1] == got[3] == 777
        # The coil's sense current lifts the ground at rest.
        still = 2048 + BOARDS["pico_w"].well_counts() / 4
        assert all(abs(code - still) < 8 for code in (got[0], got[2]))
        assert pico.ask("counters")["adc_reads"] == 2, GEOPHONE_CHANNEL


def test_network_reaches_the_named_port_and_nothing_else(pico_w_image, tmp_path):
    """One test, because each start of the radio costs seconds of emulation."""
    with socket.create_server(("127.0.0.1", 0)) as named, socket.create_server(
        ("127.0.0.1", 0)
    ) as other:  # fmt: skip
        named.settimeout(600)
        other.setblocking(False)
        route = f"1883=127.0.0.1:{named.getsockname()[1]}"
        with PicoW(pico_w_image, tmp_path, "--network", route) as pico:
            assert pico.run(JOIN + "print(join(20000))").strip() == "(True, 3)"
            pico.run(f"s = socket.socket(); s.connect(({HOST!r}, 1883)); s.send(b'hello')")
            peer, _address = named.accept()
            assert peer.recv(5) == b"hello"
            peer.sendall(b"answer")
            assert pico.run("print(s.recv(6)); s.close()").strip() == "b'answer'"
            for host, port in (
                (HOST, other.getsockname()[1]),
                ("127.0.0.1", named.getsockname()[1]),
                ("192.0.2.1", 1883),
            ):
                refused = pico.run(
                    "s = socket.socket()\ns.settimeout(5)\n"
                    f"try:\n s.connect(({host!r}, {port}))\n print('connected')\n"
                    "except OSError as e:\n print('refused')\n"
                )
                assert refused.strip() == "refused", host
            with pytest.raises(BlockingIOError):
                other.accept()

            ask = (
                "start = time.ticks_ms()\n"
                "try:\n r = socket.getaddrinfo('gw.example', 1883)[0][-1][0]\n"
                "except OSError as e:\n r = 'error'\n"
                "print(r, time.ticks_diff(time.ticks_ms(), start))\n"
            )
            pico.ask("dns", answer="gateway", delay_ms=700)
            answer, took_ms = pico.run(ask).split()
            assert answer == HOST
            assert 700 <= int(took_ms) < 1500
            pico.ask("dns", answer="refuse")
            answer, took_ms = pico.run(ask.replace("gw.", "other.")).split()
            assert answer == "error"
            pico.ask("dns", answer="absent")
            answer, absent_ms = pico.run(ask.replace("gw.", "third.")).split()
            assert answer == "error"
            assert int(absent_ms) > 5 * int(took_ms)
            assert pico.ask("counters")["dns_queries"] >= 3

            pico.ask("wifi", state="off")
            lost = "t = 0\nwhile nic.isconnected() and t < 500:\n time.sleep_ms(10); t += 1\n"
            assert pico.run(lost + "print(nic.isconnected())").strip() == "False"
            # CYW43_LINK_NONET
            assert pico.run("print(join(3000))").strip() == "(False, -2)"
            pico.ask("wifi", state="on")
            assert pico.run("print(join(20000))").strip() == "(True, 3)"
            pico.ask("wifi", state="silent")
            silent = (
                f"s = socket.socket()\ns.settimeout(3)\ntry:\n s.connect(({HOST!r}, 1883))\n"
                " print('connected')\nexcept OSError as e:\n print('silent', nic.isconnected())\n"
            )
            assert pico.run(silent).split() == ["silent", "True"]
            assert pico.ask("counters")["frames_dropped"] > 0


def test_board_ends_with_its_parent_and_leaves_nothing(pico_w_image, tmp_path):
    words = ["--image", str(pico_w_image), "--serial", "port", "--control", "control"]
    command = [sys.executable, "-m", "tools.cli", "sim", "board", "pico_w", *words]
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, *command], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert (tmp_path / "port").exists() and (tmp_path / "control").is_socket()
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    end_s = time.monotonic() + 120
    while Path(f"/proc/{child}/cmdline").exists() and Path(f"/proc/{child}/cmdline").read_bytes():
        assert time.monotonic() < end_s, "it goes on without its parent"
        time.sleep(0.1)
    assert not (tmp_path / "port").is_symlink()
    assert not (tmp_path / "control").exists()
