# SPDX-License-Identifier: MIT
# A Pico W as MicroPython 1.25 has it, with the node frozen.

include(${MICROPY_PORT_DIR}/boards/RPI_PICO_W/mpconfigboard.cmake)
set(MICROPY_FROZEN_MANIFEST ${MICROPY_BOARD_DIR}/manifest.py)
