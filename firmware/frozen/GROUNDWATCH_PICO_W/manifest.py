# SPDX-License-Identifier: MIT
# What the official Pico W image has frozen, and the node.

include("$(PORT_DIR)/boards/RPI_PICO_W/manifest.py")
include("../manifest.py")
