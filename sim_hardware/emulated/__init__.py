# SPDX-License-Identifier: MIT
"""The official Pico W firmware in an emulator, as a process with a serial port and a network."""
