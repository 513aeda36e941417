# SPDX-License-Identifier: MIT
"""Monitor: the second stage: pure steps over the committed log."""
