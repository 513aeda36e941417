# SPDX-License-Identifier: MIT
"""API: HTTP and server-sent deltas for consoles, command lines and other systems."""
