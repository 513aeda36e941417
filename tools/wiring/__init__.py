# SPDX-License-Identifier: MIT
"""Workbench: the boards' pages, diagrams and parts lists, made from one set of data."""
