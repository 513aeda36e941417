# SPDX-License-Identifier: MIT
"""Links: how sealed messages reach the gateway and how answers leave it."""
