# SPDX-License-Identifier: MIT
"""Service: doubts: a clock or a store that is not what it was, until a person confirms it."""
