# SPDX-License-Identifier: MIT
"""Outputs: TLS is in gateway.tls; these are its old names."""

from gateway.tls import Trust, read_trust

__all__ = ["Trust", "read_trust"]
