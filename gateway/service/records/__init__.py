# SPDX-License-Identifier: MIT
"""Service: what is kept and recorded beside the stages."""
