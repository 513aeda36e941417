# SPDX-License-Identifier: MIT
# Board, simulated: what work costs on each board. Literals only: docs/simulator.md prints them, and
# tests/sim/test_costs.py compares both.
#
# A figure is (typical, worst, source). The kinds of source:
#   emulated   MicroPython 1.25.0 of the Pico W in rp2040py 0.3.6, x1.0 to x1.2 of real time
#   datasheet  of the part named
#   source     read in the port's code, v1.25.0
#   computed   from figures above
#   assumed    nothing better known

# Times are in microseconds.
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
    },
    "esp32": {
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
    },
}

# What does not cost time but decides what it costs.
PORTS = {
    "pico_w": {
        "is_rp2": (True, "source"),
        "clock_hz": (125_000_000, "source: ports/rp2, 1.25.0"),
        "timer_ids": ((-1,), "source: ports/rp2/machine_timer.c"),
        # Bytes that gc.mem_free() shows at the first line of main.py.
        "heap_free": (199_600, "emulated"),
        # Of the node's code, bytes in flash and not on the heap (firmware/boards/inplace.py).
        "in_flash": (33_100, "emulated: heap_free= of a fresh start, less that of the simulator"),
        # Blocks of 4 KiB in the file system, and how littlefs is mounted (ports/rp2 _boot.py).
        "flash_blocks": (212, "emulated: 868,352 B in the image for the Pico W"),
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
        "brownout_mv": (1_800, "datasheet: Pico W, lowest VSYS"),
        "radio_ma": (300, "assumed: peak while the radio sends"),
    },
    "esp32": {
        "is_rp2": (False, "source"),
        "clock_hz": (160_000_000, "source: ports/esp32"),
        "timer_ids": ((0, 1, 2, 3), "source: ports/esp32/machine_timer.c"),
        "heap_free": (137_216, "design figure: 134 KB without PSRAM, not measured"),
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
    },
}
