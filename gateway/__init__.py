# SPDX-License-Identifier: MIT
"""The gateway: sealed uplinks come in, alarms that an operator can trust go out."""
