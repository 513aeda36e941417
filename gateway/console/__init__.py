# SPDX-License-Identifier: MIT
"""The window: one page for the operator, offline, nothing fetched from elsewhere."""
