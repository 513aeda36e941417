# SPDX-License-Identifier: MIT
"""Model: detection, event, alarm and the rest of the domain. Immutable values, no I/O."""
