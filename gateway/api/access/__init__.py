# SPDX-License-Identifier: MIT
"""API access: who is at the other end: a session, a login of this machine, or a token."""
