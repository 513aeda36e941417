# SPDX-License-Identifier: MIT
"""The wire layer of the gateway: sealed bytes become typed messages, and back."""
