# SPDX-License-Identifier: MIT
"""Service: composition of the stages, supervision, and what the stages publish to the picture."""
