# SPDX-License-Identifier: MIT
"""An incident as one signed file that somebody else can check."""
