# SPDX-License-Identifier: MIT
# First thing on a node: room for the trace of an error inside an interrupt, and early collections.
import gc

import micropython

if hasattr(micropython, "alloc_emergency_exception_buf"):  # ports without interrupts have none
    micropython.alloc_emergency_exception_buf(100)
gc.threshold(16_384)
