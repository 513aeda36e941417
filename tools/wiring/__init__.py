# SPDX-License-Identifier: MIT
"""Pages, diagrams and parts lists of the boards, generated from one set of data."""
