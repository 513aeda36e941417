# SPDX-License-Identifier: MIT
"""Errors that a caller may catch."""

from __future__ import annotations


class GroundwatchError(Exception):
    """Base of all errors meant for the user: one line, what is wrong and what to do."""


class ConfigError(GroundwatchError):
    """A file the user wrote is wrong. The message names the key and gives an example."""


class StoreError(GroundwatchError):
    """The store cannot be opened or written; nothing is acknowledged until it can."""


class StoreInUse(StoreError):
    """Another process writes this store."""


class RowError(StoreError):
    """The store works and does not accept a row of a commit; none of that commit is kept."""


class BrokerError(GroundwatchError):
    """The message broker could not be started or does not enforce what it must."""
