# SPDX-License-Identifier: MIT
"""Commands: the kinds of values and the options that many verbs share."""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

import click

_Function = TypeVar("_Function", bound=Callable[..., Any])

PATH = click.Path(path_type=Path)
POSITIVE = click.IntRange(min=1)
NOT_NEGATIVE = click.IntRange(min=0)


class Number(click.FloatRange):
    """A finite number within bounds: click takes `nan` for one that is within any."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Refuse what is not finite."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number


def names(kind: type[Enum]) -> click.Choice[str]:
    """The values of an enumeration, of which the user names one."""
    return click.Choice([str(one.value) for one in kind])


def config_option(
    what: str = "the gateway's configuration file",
) -> Callable[[_Function], _Function]:
    """`--config` of a verb that reads the configuration of a gateway."""
    return click.option(
        "--config", type=PATH, default=Path("gateway.toml"), metavar="FILE", help=what
    )


def json_option(what: str = "print JSON lines") -> Callable[[_Function], _Function]:
    """`--json`: the parameter is `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help=what)
