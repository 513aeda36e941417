# SPDX-License-Identifier: MIT
"""The door: verify, decode, deduplicate, commit, receipt."""
