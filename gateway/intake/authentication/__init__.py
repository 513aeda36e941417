# SPDX-License-Identifier: MIT
"""Intake: is it authentic, new, and from the node whose topic it came on?"""
