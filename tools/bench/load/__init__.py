# SPDX-License-Identifier: MIT
"""Workbench, bench: what is sent, and the processes that send it."""
