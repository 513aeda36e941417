# SPDX-License-Identifier: MIT
"""The wire room of the gateway: sealed bytes from outside become typed messages, and back."""
