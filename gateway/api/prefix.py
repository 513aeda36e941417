# SPDX-License-Identifier: MIT
"""API: what every address of it begins with; a client needs this without the server's parts."""

PREFIX = "/api/v1"
