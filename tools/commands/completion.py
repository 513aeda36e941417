# SPDX-License-Identifier: MIT
"""`groundwatch completion`: the completion script of a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from tools.commands.front import COMPLETE, NAME, groundwatch

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """The script calls `groundwatch` again for each word to complete."""
    kind = get_completion_class(shell)
    assert kind is not None
    print(kind(groundwatch(), {}, NAME, COMPLETE).source())
