# SPDX-License-Identifier: MIT
"""Which port, which drive, which image: found, checked, and refused in one line."""

from __future__ import annotations

import hashlib
import http.server
import threading
from dataclasses import replace
from types import SimpleNamespace

import pytest
from esptool.targets import ROM_LIST

from tests.usb.boards import esp32_image, uf2_image
from tools.compiled import mpy_for
from tools.errors import UserError
from tools.flash import images, ports, uf2
from tools.flash.board import Facts
from tools.flash.boards import KINDS, kind_named, kind_of, must_be_supported
from tools.flash.micropython import Found

PICO, PICO_2, ESP32 = (kind_named(name) for name in ("pico_w", "pico2_w", "esp32"))


def usb(device: str, vid: int | None) -> SimpleNamespace:
    return SimpleNamespace(device=device, vid=vid, serial_number="e661")


def test_ports_of_boards_are_distinguished_from_other_serial_ports() -> None:
    listed = [usb("/dev/ttyS0", None), usb("/dev/ttyUSB0", 0x10C4), usb("/dev/ttyACM0", 0x2E8A)]
    found = ports.ports(lambda: listed)
    assert [port.device for port in found] == ["/dev/ttyACM0", "/dev/ttyUSB0"]
    with pytest.raises(UserError, match="--port"):
        ports.the_port(None, found)
    with pytest.raises(UserError, match="no board found"):
        ports.the_port(None, [])
    assert ports.the_port(None, found[:1]) == "/dev/ttyACM0"


def test_boot_drives_are_known_by_their_information_file(tmp_path) -> None:
    for name in ("stick", "RPI-RP2"):
        (tmp_path / name).mkdir()
    (tmp_path / "RPI-RP2" / "INFO_UF2.TXT").write_text("UF2 Bootloader v3.0\n")
    assert ports.boot_drives(lambda: sorted(tmp_path.iterdir())) == [tmp_path / "RPI-RP2"]


def test_boot_drive_that_is_not_mounted_gives_the_command(tmp_path) -> None:
    assert ports.unmounted_drive(tmp_path) == ""
    (tmp_path / "RPI-RP2").touch()
    assert "udisksctl mount" in ports.unmounted_drive(tmp_path)


def test_image_of_any_kind_but_the_boards_is_refused(tmp_path) -> None:
    path = tmp_path / "image"
    good = uf2_image(b"program" * 100)
    for data in (
        b"",
        b"x" * 512,
        good[:-1],
        good[512:],
        good[:512] + good[:512],
        good.replace(b"UF2\n", b"UF3\n"),
        uf2_image(b"program", family=0xE48BFF59),
    ):
        path.write_bytes(data)
        with pytest.raises(UserError) as refused:
            images.given(PICO, path)
        assert "\n" not in str(refused.value)
    path.write_bytes(good)
    assert images.given(PICO, path).release == ""
    with pytest.raises(UserError, match="no ESP32 image"):
        images.given(ESP32, path)
    path.write_bytes(esp32_image())
    assert images.given(ESP32, path).sha256
    with pytest.raises(UserError, match="cannot read"):
        images.given(ESP32, tmp_path / "absent")


def test_image_of_an_rp2350_may_start_with_a_block_that_is_not_written(tmp_path) -> None:
    path = tmp_path / "image"
    good = uf2_image(b"program" * 100, family=0xE48BFF59)
    absolute = uf2_image(b"\xef" * 300, family=0xE48BFF57)[:512]  # the first of two, erratum E10
    for data in (good, absolute + good):
        path.write_bytes(data)
        assert images.given(PICO_2, path).sha256
    bad = (absolute, absolute * 2 + good, good + absolute, uf2_image(b"program"), absolute[:100])
    for data in bad:
        path.write_bytes(data)
        with pytest.raises(UserError):
            images.given(PICO_2, path)
    path.write_bytes(absolute + uf2_image(b"program"))
    with pytest.raises(UserError):
        images.given(PICO, path)


@pytest.fixture
def served(tmp_path):
    """A server of released firmware: the response for any name is `body`."""
    given = SimpleNamespace(body=uf2_image(b"released" * 2000), asked=[])

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            given.asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(given.body)

        def log_message(self, *_words: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    given.source = f"http://127.0.0.1:{server.server_port}/"
    given.kind = replace(PICO, image_sha256=hashlib.sha256(given.body).hexdigest())
    yield given
    server.shutdown()
    server.server_close()


def test_pinned_image_is_fetched_once_and_then_taken_from_the_cache(served, tmp_path) -> None:
    sizes = []
    for _ in range(2):
        image = images.pinned(served.kind, sizes.append, served.source, tmp_path / "cache")
        assert image.release == PICO.release
        assert image.path.read_bytes() == served.body
    assert sum(sizes) == len(served.body)
    assert served.asked == [f"/{PICO.image_name}"]


def test_pinned_image_that_is_another_one_never_reaches_the_cache(served, tmp_path) -> None:
    served.body = served.body[:-1] + b"!"
    with pytest.raises(UserError, match="differs"):
        images.pinned(served.kind, lambda _size: None, served.source, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_pinned_image_damaged_in_the_cache_is_not_used(served, tmp_path) -> None:
    (tmp_path / PICO.image_name).write_bytes(uf2_image(b"evil"))
    with pytest.raises(UserError, match="remove it"):
        images.pinned(served.kind, lambda _size: None, served.source, tmp_path)
    assert served.asked == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_pinned_image_without_a_network_names_the_option(kind, tmp_path) -> None:
    assert kind.image_sha256 is None or len(bytes.fromhex(kind.image_sha256)) == 32
    with pytest.raises(UserError, match="--image"):
        images.pinned(kind, lambda _size: None, "http://127.0.0.1:9/", tmp_path)


def test_board_kinds_list_their_wiring_and_are_recognised_by_their_micropython() -> None:
    for kind in KINDS:
        assert any(row[0] == "PIR" for row in kind.wiring())
        assert all(len(row) == 3 for row in kind.wiring())
    assert kind_of("rp2", "Raspberry Pi Pico W with RP2040") is PICO
    assert kind_of("esp32", "Generic ESP32 module with SPIRAM with ESP32") is ESP32
    assert kind_of("rp2", "Raspberry Pi Pico 2 W with RP2350") == PICO_2
    assert kind_of("esp32", "Generic ESP32S3 module with ESP32S3").name == "esp32_s3"
    assert kind_of("esp32", "Generic ESP32S3 module with ESP32-S3").name == "esp32_s3"
    assert kind_of("esp32", "ESP32C3 module with ESP32C3").name == "esp32_c3"
    with pytest.raises(UserError, match="no firmware"):
        kind_of("esp32", "Generic ESP32S2 module with ESP32S2")
    with pytest.raises(UserError, match="no firmware"):
        kind_of("rp2", "Raspberry Pi Pico with RP2040")


@pytest.mark.parametrize(
    "kind", [one for one in KINDS if not one.by_drive], ids=lambda one: one.name
)
def test_chip_and_address_of_its_image_are_those_of_esptool(kind) -> None:
    (rom,) = [one for one in ROM_LIST if one.CHIP_NAME.replace("-", "") == kind.chip]
    assert kind.flash_offset == rom.BOOTLOADER_FLASH_OFFSET


def test_image_without_a_known_hash_is_never_fetched(served, tmp_path) -> None:
    kind = replace(served.kind, image_sha256=None)
    with pytest.raises(UserError, match="no SHA-256 of .* is known, so it is not fetched"):
        images.pinned(kind, lambda _size: None, served.source, tmp_path / "cache")
    assert served.asked == []
    path = tmp_path / "mine.uf2"
    path.write_bytes(served.body)
    assert images.given(kind, path).release == ""


def test_board_whose_micropython_is_the_wrong_build_is_not_ready() -> None:
    def found(machine: str) -> Found:
        facts = Facts("esp32", machine, (1, 25, 0), "24", 1 << 20, mpy_for("esp32"), 4 << 20)
        return Found("/dev/ttyUSB0", None, SimpleNamespace(facts=facts), ESP32)

    assert found("Generic ESP32 module with SPIRAM with ESP32").is_ready
    assert not found("Generic ESP32 module with ESP32").is_ready


def test_board_that_cannot_run_the_node_is_refused_with_the_reason() -> None:
    with pytest.raises(UserError, match="esp32_c3 is not supported: the node needs"):
        must_be_supported(kind_named("esp32_c3"))
    for kind in KINDS:
        if not kind.unsupported:
            must_be_supported(kind)


def test_uf2_copy_to_a_drive_that_stays_is_refused(tmp_path) -> None:
    (tmp_path / uf2.INFO).write_text("UF2 Bootloader v3.0\n")
    with pytest.raises(UserError, match="did not take"):
        uf2.await_gone(tmp_path, 0.1)
