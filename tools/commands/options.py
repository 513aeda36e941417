# SPDX-License-Identifier: MIT
"""Options that several verbs share."""

from __future__ import annotations

import click

from tools.compiled import architectures

architecture_option = click.option(
    "--architecture",
    type=click.Choice(architectures()),
    help="instruction set, if not the board's own; x64 or x86 for a simulated node",
)
