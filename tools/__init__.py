# SPDX-License-Identifier: MIT
"""Library functions behind the `groundwatch` command and the build."""
