# SPDX-License-Identifier: MIT
"""Model: where things are: the site, its place on Earth, and its shapes as GeoJSON."""
