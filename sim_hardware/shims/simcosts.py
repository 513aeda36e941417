# SPDX-License-Identifier: MIT
# Board layer, simulated: the cost of work on each board. Literals only: docs/simulator.md prints
# them, and tests/sim/test_cost_report.py compares both.
#
# A figure is (typical, worst, source). The kinds of source:
#   emulated   MicroPython 1.25.0 of the Pico W in rp2040py 0.3.6, x1.0 to x1.2 of real time
#   datasheet  of the part named
#   source     read in the port's code, v1.25.0
#   published  measured on a real board, by the named source
#   computed   from figures above
#   assumed    no better source

# Times are in microseconds.
_ESPRESSIF = {
    "erase_us": (45_000, 400_000, "datasheet: W25Q32JV 9.6, sector of 4 KiB"),
    "program_us": (400, 3_000, "datasheet: W25Q32JV 9.6, page of 256 bytes"),
    "gc_source_us_per_kb": (127, 127, "computed: Pico W / 1.24 (pystone 1802 to 1457)"),
    "gc_mpy_us_per_kb": (70, 70, "computed: Pico W / 1.24"),
    "import_source_us_per_kb": (40_000, 40_000, "computed: Pico W / 1.24"),
    "import_mpy_us_per_kb": (19_200, 19_200, "computed: Pico W / 1.24"),
    "radio_start_us": (200_000, 200_000, "assumed"),
    "join_us": (1_200_000, 4_000_000, "assumed: association and DHCP of a home access point"),
    "lookup_us": (30_000, 500_000, "assumed: one answer of a DNS server in the field"),
    "lookup_away_us": (14_000_000, 14_000_000, "assumed: lwIP, 4 tries of 1, 2, 4 and 7 s"),
    "verify_step_us": (5_200, 5_200, "computed: Pico W / 1.24"),
    "wake_us": (1_500, 3_000, "assumed: out of light sleep, ESP-IDF names less than 1 ms"),
}
COSTS = {
    "pico_w": {
        "erase_us": (43_000, 98_000, "design figure; W25Q16JV datasheet 9.6: 45 ms, at most 400"),
        "program_us": (400, 3_000, "datasheet: W25Q16JV 9.6, page of 256 bytes"),
        "gc_source_us_per_kb": (158, 158, "emulated: 22.0 ms, 139 KB live, from sources"),
        "gc_mpy_us_per_kb": (87, 87, "emulated: 10.9 ms, 126 KB live, from .mpy"),
        "import_source_us_per_kb": (49_500, 49_500, "emulated: ugs.node, 123 KB, in 6.08 s"),
        "import_mpy_us_per_kb": (23_800, 23_800, "emulated: ugs.node, 63 KB, in 1.50 s"),
        "radio_start_us": (750_000, 750_000, "emulated: WLAN.active(True) loads the radio"),
        "join_us": (1_200_000, 4_000_000, "assumed: association and DHCP of a home access point"),
        "lookup_us": (30_000, 500_000, "assumed: one answer of a DNS server in the field"),
        "lookup_away_us": (6_400_000, 6_400_000, "emulated: getaddrinfo without an answer"),
        "verify_step_us": (6_500, 6_500, "emulated: Ed25519 in 2.2 s, 340 steps"),
        "wake_us": (0, 0, "source: no pin wakes it out of a sleep with a time limit"),
    },
    "pico2_w": {
        "erase_us": (45_000, 400_000, "datasheet: W25Q32RV, sector of 4 KiB"),
        "program_us": (400, 3_000, "datasheet: W25Q32RV, page of 256 bytes"),
        "gc_source_us_per_kb": (158, 158, "assumed: at most as the Pico W"),
        "gc_mpy_us_per_kb": (87, 87, "assumed: at most as the Pico W"),
        "import_source_us_per_kb": (49_500, 49_500, "assumed: at most as the Pico W"),
        "import_mpy_us_per_kb": (23_800, 23_800, "assumed: at most as the Pico W"),
        "radio_start_us": (750_000, 750_000, "assumed: as the Pico W, the same radio"),
        "join_us": (1_200_000, 4_000_000, "assumed: association and DHCP of a home access point"),
        "lookup_us": (30_000, 500_000, "assumed: one answer of a DNS server in the field"),
        "lookup_away_us": (6_400_000, 6_400_000, "assumed: as the Pico W, the same lwIP"),
        "verify_step_us": (6_500, 6_500, "assumed: at most as the Pico W"),
        "wake_us": (0, 0, "source: no pin wakes it out of a sleep with a time limit"),
    },
    # A collection over PSRAM also waits for the cache: 32 bytes take 79 clocks of 4 bits at 40 MHz,
    # or 2 us; at worst each line is fetched twice.
    "esp32": dict(
        _ESPRESSIF,
        gc_source_us_per_kb=(190, 254, "computed: Pico W / 1.24, and 32 lines of the cache"),
        gc_mpy_us_per_kb=(133, 197, "computed: Pico W / 1.24, and 32 lines of the cache"),
    ),
    "esp32_s3": _ESPRESSIF,
    "esp32_c3": dict(
        _ESPRESSIF,
        gc_source_us_per_kb=(127, 190, "assumed: as an ESP32, at worst half as long again"),
        gc_mpy_us_per_kb=(70, 105, "assumed: as an ESP32, at worst half as long again"),
    ),
}

# What does not cost time but decides what it costs.
_ESPRESSIF_PORT = {
    "is_rp2": (False, "source"),
    "clock_hz": (160_000_000, "source: ports/esp32"),
    "in_flash": (0, "source: firmware/boards/inplace.py does nothing there"),
    "flash_blocks": (512, "source: ports/esp32/partitions-4MiB.csv, vfs of 2 MiB"),
    "flash_program_bytes": (32, "source: extmod/vfs_lfs.c, default progsize"),
    "scheduled": (8, "source: ports/esp32/mpconfigport.h, MICROPY_SCHEDULER_DEPTH"),
    "timer_catches_up": (False, "source: ports/esp32/machine_timer.c, one flag of the timer"),
    "timer_hard": (False, "source: ports/esp32/machine_timer.c"),
    "pin_irq_hard": (False, "source: ports/esp32/machine_pin.c"),
    "lookup_holds_scheduler": (True, "source: ports/esp32/modsocket.c waits in lwIP"),
    "lookup_error": (-202, "source: ports/esp32/modsocket.c"),
    "watchdog_ms_max": (None, "source: ports/esp32/machine_wdt.c has no bound"),
    "brownout_mv": (3_000, "datasheet: ESP32, lowest supply, at a regulator without drop"),
    "radio_ma": (500, "datasheet: ESP32, supply for peaks of transmission"),
}
_RP2_PORT = {
    "is_rp2": (True, "source"),
    # Blocks of 4 KiB in the file system, and how littlefs is mounted (ports/rp2 _boot.py).
    "flash_program_bytes": (256, "source: ports/rp2/modules/_boot.py, progsize"),
    # Callbacks that wait for the scheduler; more are dropped without a trace.
    "scheduled": (8, "source: ports/rp2/mpconfigport.h, MICROPY_SCHEDULER_DEPTH"),
    # The alarm pool calls a periodic alarm once for each period that went by.
    "timer_catches_up": (True, "source: ports/rp2/machine_timer.c, negative return value"),
    # Timer(hard=...) is unknown before 1.26 on rp2 and before 1.27 on esp32.
    "timer_hard": (False, "source: ports/rp2/machine_timer.c"),
    "pin_irq_hard": (True, "source: ports/rp2/machine_pin.c"),
    # A look-up runs scheduled callbacks while it waits: on rp2 yes, on esp32 no.
    "lookup_holds_scheduler": (False, "source: extmod/modlwip.c polls"),
    "lookup_error": (-2, "source: extmod/modlwip.c"),
    "watchdog_ms_max": (8_388, "datasheet: RP2040 4.7.3, 24 bits that count twice each us"),
    "brownout_mv": (1_800, "datasheet: Pico W and Pico 2 W, lowest VSYS"),
    "radio_ma": (300, "assumed: peak while the radio sends"),
}
PORTS = {
    "pico_w": dict(
        _RP2_PORT,
        clock_hz=(125_000_000, "source: ports/rp2, 1.25.0"),
        # Bytes that gc.mem_free() shows at the first line of main.py.
        heap_free=(199_600, "emulated"),
        # Of the node's code, bytes in flash and not on the heap (firmware/boards/inplace.py).
        in_flash=(44_000, "emulated: heap_free= of a fresh start, less that of the simulator"),
        flash_blocks=(212, "emulated: 868,352 B in the image for the Pico W"),
    ),
    "pico2_w": dict(
        _RP2_PORT,
        clock_hz=(150_000_000, "source: ports/rp2, 1.25.0"),
        heap_free=(455_700, "computed: the Pico W's and 256 KB of RAM, less 3/128 for tables"),
        in_flash=(0, "source: firmware/boards/inplace.py does nothing there"),
        flash_blocks=(640, "source: ports/rp2/boards/RPI_PICO2_W, 4 MB less 1536 KB"),
    ),
    # Published for an ESP32-S3 without PSRAM: 62,432 B free and 188,352 B to grow into (micropython
    # pull request 12141); for an ESP32-C3: 64,000 B and 139,264 B (issue 14293). Wi-Fi is on before
    # the heap grows, and takes 40 to 56 KB of that (esp-idf issue 7186: 40,044 B).
    "esp32": dict(
        _ESPRESSIF_PORT,
        heap_free=(229_376, "source: ports/esp32/mpconfigport.h, 56 KB that double, in PSRAM"),
    ),
    "esp32_s3": dict(
        _ESPRESSIF_PORT,
        heap_free=(188_416, "computed: published 250,784, less Wi-Fi and tables of the heap"),
        flash_blocks=(1536, "source: ports/esp32/partitions-8MiB.csv, vfs of 6 MiB"),
        brownout_mv=(3_000, "datasheet: ESP32-S3, lowest supply, at a regulator without drop"),
    ),
    "esp32_c3": dict(
        _ESPRESSIF_PORT,
        heap_free=(141_312, "computed: published 203,264, less Wi-Fi and tables of the heap"),
        brownout_mv=(3_000, "datasheet: ESP32-C3, lowest supply, at a regulator without drop"),
    ),
}
