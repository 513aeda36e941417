# SPDX-License-Identifier: MIT
"""The store: what the pipeline wants kept, and the interface of whatever keeps it."""
