# SPDX-License-Identifier: MIT
"""Backups: a gateway's store and configuration in one file, and back."""
