# SPDX-License-Identifier: MIT
"""Updates: signed releases, and bringing them to a fleet in waves that stop by themselves."""
