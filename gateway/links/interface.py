# SPDX-License-Identifier: MIT
"""Links: the contract is in gateway.ports.link; these are its old names."""

from gateway.ports.link import Arrival, Clock, Link, Offer

__all__ = ["Arrival", "Clock", "Link", "Offer"]
