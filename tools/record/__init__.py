# SPDX-License-Identifier: MIT
"""Record: labelled takes from a node at its USB cable, and data sets made of them."""
