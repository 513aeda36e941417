# SPDX-License-Identifier: MIT
"""API access: the identity of the caller: a session, a login of this machine, or a token."""
