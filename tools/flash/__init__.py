# SPDX-License-Identifier: MIT
"""From a bare board to a trusted node, over one USB cable."""
