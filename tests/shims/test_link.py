# SPDX-License-Identifier: MIT
"""The stand-in broker and gateway at the far end of a virtual link, driven by raw MQTT bytes."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

Bench = Any

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
KEY = bytes(range(32))
UP = "groundwatch/v1/north/n01/up"

# A minimal client: packets out by hand, packets in by their first byte and body.
CLIENT = """
import asyncio, binascii, time
from ugs.wire import codec, keys, seal
from ugs.wire.errors import WireError
K = keys.derive(binascii.unhexlify("%s"))
UP = "groundwatch/v1/north/n01/up"
DOWN = "groundwatch/v1/north/n01/down"
def text(value):
    value = value if isinstance(value, bytes) else value.encode()
    return len(value).to_bytes(2, "big") + value
def packet(first, body):
    size = len(body)
    size = bytes((size,)) if size < 128 else bytes((size & 127 | 128, size >> 7))
    return bytes((first,)) + size + body
def connect(password=None, will=None, keepalive=30):
    body = text("MQTT") + bytes((4, 0xc2 | (0x0c if will else 0))) + keepalive.to_bytes(2, "big")
    body += text("n01") + (text(UP) + text(will) if will else b"")
    return packet(0x10, body + text("n01") + text(password or K.mqtt_password))
def subscribe(topic, number=7):
    return packet(0x82, number.to_bytes(2, "big") + text(topic) + b"\\x01")
def publish(payload, number=9, topic=UP):
    return packet(0x32, text(topic) + number.to_bytes(2, "big") + payload)
def sealed(space, seq, name, boot=1, **values):
    if "of_boot" in values:
        values["boot"] = values.pop("of_boot")
    buffer = bytearray(200)
    size = codec.encode(buffer, name, values)
    piv = seal.up_piv(space, boot, seq)
    return seal.seal(K.up_key, K.up_iv, piv, bytes(buffer[:size]), UP.encode())
def detection(seq):
    return sealed(0, seq, "detection", t_ms=1, phase=1, **{"class": 1}, confidence_pct=9,
                  peak_um_s_x100=5, cadence_hz_x20=3, pir_count=0)
def opened(body, boot=1):
    piv, plain = seal.open_sealed(K.down_key, K.down_iv, body, seal.down_aad(DOWN, boot))
    return codec.decode(plain)
async def dial():
    reader, writer = await asyncio.open_connection("broker", 1883)
    return Line(reader, writer)
class Line:
    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
    async def send(self, data):
        self.writer.write(data)
        await self.writer.drain()
    async def receive(self):
        # (first byte, body), or None when the far end is gone
        try:
            head = await self.reader.read(2)
            if len(head) < 2: return None
            body = await self.reader.readexactly(head[1]) if head[1] else b""
        except OSError as error:
            return None
        if head[0] >> 4 == 3:
            size = int.from_bytes(body[:2], "big")
            return head[0], opened(body[2 + size:])
        return head[0], body
    async def ready(self):
        await self.send(connect() + subscribe(DOWN))
        return await self.receive(), await self.receive()
async def main():
%s
asyncio.run(main())
"""


def run(bench: Bench, body: str) -> list[str]:
    """Run the lines of `body` as the client's main coroutine."""
    if not (bench.tree / "ugs").exists():
        shutil.copytree(FIRMWARE / "ugs", bench.tree / "ugs")
        config = {"site": "north", "node": "n01", "key": KEY.hex()}
        (bench.tree / "node.json").write_text(json.dumps(config))
    indented = "\n".join("    " + line for line in body.strip().splitlines())
    code, lines = bench.power_on(CLIENT % (KEY.hex(), indented))
    assert code == 0, lines
    return lines


def uplinks(bench: Bench) -> list[dict[str, Any]]:
    lines = (bench.folder / "uplinks.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_session_answers_every_packet_after_the_links_delay(bench: Bench) -> None:
    lines = run(
        bench,
        """
line = await dial()
print(time.ticks_ms())
print(await line.ready(), time.ticks_ms())
await line.send(b"\\xc0\\x00")
print(await line.receive(), time.ticks_ms())
await line.send(publish(b"not sealed", 513))
print(await line.receive(), time.ticks_ms())
""",
    )
    assert lines == [
        "40",  # the handshake there and back at 20 ms each way
        r"((32, b'\x00\x00'), (144, b'\x00\x07\x01')) 80",
        "(208, b'') 120",
        "sim: uplink refused reason=bad_envelope",
        r"(64, b'\x02\x01') 160",
    ]
    assert uplinks(bench) == [
        {"t_us": 140_000, "topic": UP, "payload": b"not sealed".hex()},
    ]


def test_wrong_password_is_refused_and_anything_before_connect_is_cut(bench64: Bench) -> None:
    lines = run(
        bench64,
        """
line = await dial()
await line.send(connect("0" * 32))
print(await line.receive())
for first in (publish(b"x"), b"\\x10\\x05\\x00\\x04HTTP", b"\\xff" * 5, b"\\x10\\xff\\x7f"):
    line = await dial()
    await line.send(first)
    print(await line.receive())
""",
    )
    assert lines == [r"(32, b'\x00\x05')"] + ["None"] * 4


def test_receipt_follows_the_commit_and_is_held_back_by_a_gap(bench: Bench) -> None:
    lines = run(
        bench,
        """
line = await dial()
await line.ready()
start = time.ticks_ms()
for seq in (1, 2, 4):
    await line.send(publish(detection(seq), seq))
    await line.receive()
first, message = await line.receive()
print(message, time.ticks_diff(time.ticks_ms(), start))
await line.send(publish(detection(3)))
await line.receive()
print((await line.receive())[1])
""",
    )
    # 20 ms up, 250 ms to commit and coalesce, 20 ms down
    assert lines == ["('receipt', {'upto': [1, 2]}) 290", "('receipt', {'upto': [1, 4]})"]


def test_dropped_records_close_their_gap(bench64: Bench) -> None:
    lines = run(
        bench64,
        """
line = await dial()
await line.ready()
dropped = sealed(0, 6, "condition", t_ms=2, kind=6, active=1, value=4, of_boot=1)
for seq, message in ((5, detection(5)), (6, dropped)):
    await line.send(publish(message, seq))
    await line.receive()
print((await line.receive())[1])
""",
    )
    assert lines == ["('receipt', {'upto': [1, 6]})"]


def test_hello_is_answered_with_the_time_of_the_take(bench64: Bench) -> None:
    bench64.settings["t0_epoch_ms"] = 1_800_000_000_000
    lines = run(
        bench64,
        """
line = await dial()
await line.ready()
await line.send(publish(sealed(1, 1, "hello", t_ms=77, fw="1", board="b", schema=1, reset_cause=0,
                               fs_hz=250, heap_free=1)))
await line.receive()
print((await line.receive())[1])
""",
    )
    # handshake 40, session 40, up 20, answered 2 ms later
    assert lines == ["('time', {'utc_ms': 1800000000102, 'echo_ms': 77})"]


def test_will_is_published_when_the_node_vanishes_and_not_when_it_leaves(bench64: Bench) -> None:
    run(
        bench64,
        """
for last in (b"\\xe0\\x00", b""):
    line = await dial()
    await line.send(connect(will=b"last words"))
    await line.receive()
    if last: await line.send(last)
    await asyncio.sleep(1)
    await line.writer.wait_closed()
    await asyncio.sleep(1)
""",
    )
    assert [row["payload"] for row in uplinks(bench64)] == [b"last words".hex()]


def test_silence_beyond_the_keepalive_is_cut_with_the_will(bench64: Bench) -> None:
    lines = run(
        bench64,
        """
line = await dial()
await line.send(connect(will=b"last words", keepalive=10))
await line.receive()
start = time.ticks_ms()
print(await line.receive(), time.ticks_diff(time.ticks_ms(), start))
""",
    )
    assert lines == ["None 14980"]  # one and a half keepalives after the last packet
    assert len(uplinks(bench64)) == 1


def test_outage_breaks_the_connection_and_refuses_new_ones(bench64: Bench) -> None:
    bench64.settings["outages_s"] = [[5, 8]]
    lines = run(
        bench64,
        """
line = await dial()
await line.ready()
print(await line.receive(), time.ticks_ms())
try:
    await dial()
except OSError as error:
    print("no way")
await asyncio.sleep(4)
print((await (await dial()).ready())[0])
""",
    )
    assert lines == ["None 5000", "no way", r"(32, b'\x00\x00')"]


@pytest.mark.parametrize("loss_pct", [0, 30])
def test_loss_breaks_connections_at_the_share_asked_for(bench64: Bench, loss_pct: int) -> None:
    bench64.settings["loss_pct"] = loss_pct
    lines = run(
        bench64,
        """
broken = 0
line = None
for number in range(1, 401):
    if line is None:
        line = await dial()
        await line.ready()
    await line.send(publish(b"x", number))
    answer = await line.receive()
    while answer is not None and answer[0] != 64:
        answer = await line.receive()
    if answer is None:
        broken += 1
        line = None
print(broken)
""",
    )
    broken = int(lines[-1])
    assert abs(broken - 4 * loss_pct) <= 30 * bool(loss_pct)
    # Of the broken ones some had reached the gateway: those come a second time.
    arrived = len(uplinks(bench64))
    assert 400 - broken <= arrived <= 400
    assert arrived > 400 - broken or not loss_pct


def test_receipts_after_a_reset_continue_from_the_last_one(bench64: Bench) -> None:
    send = """
line = await dial()
await line.ready()
await line.send(publish(detection(%d)))
await line.receive()
print((await line.receive())[1])
"""
    assert run(bench64, send % 1) == ["('receipt', {'upto': [1, 1]})"]
    assert run(bench64, send % 2) == ["('receipt', {'upto': [1, 2]})"]
