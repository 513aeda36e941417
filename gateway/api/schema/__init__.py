# SPDX-License-Identifier: MIT
"""API schema: what may be sent and what is answered, as structs with their limits."""
