# SPDX-License-Identifier: MIT
"""Ground layer: a second family of sources and soils, written independently of the first."""
