# SPDX-License-Identifier: MIT
"""The workbench: library functions behind the `groundwatch` command and the build."""
