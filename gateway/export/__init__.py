# SPDX-License-Identifier: MIT
"""An incident as one signed file that others can verify."""
