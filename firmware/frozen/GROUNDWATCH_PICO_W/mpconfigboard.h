// SPDX-License-Identifier: MIT
// The file system stays as large as on the official image: state/ and ledger need it.
#include "boards/RPI_PICO_W/mpconfigboard.h"

#undef MICROPY_HW_BOARD_NAME
#define MICROPY_HW_BOARD_NAME "Groundwatch on Raspberry Pi Pico W" // `groundwatch flash` looks for Pico W
