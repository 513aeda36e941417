# SPDX-License-Identifier: MIT
"""Console: one page for the operator, offline, nothing fetched from elsewhere."""
