# SPDX-License-Identifier: MIT
"""The command `groundwatch`: one line and exit code 2 for a user's mistake, else a traceback."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence

import click
from click.shell_completion import shell_complete

from tools import extras
from tools.commands.front import COMPLETE, NAME, groundwatch
from tools.errors import UserError

EXIT_OK = 0
EXIT_USER_ERROR = 2
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells report it

_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; return the exit status: 0, the verb's own, 2 for a user error, 130 for ^C."""
    words = list(sys.argv[1:] if argv is None else argv)
    command = groundwatch()
    if COMPLETE in os.environ:
        return shell_complete(command, {}, NAME, COMPLETE, os.environ[COMPLETE])
    try:
        with command.make_context(NAME, words) as context:
            status = command.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as left:
        return left.exit_code
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader left (`groundwatch replay ... | head`): no error of this command.
        _drop_output()
        return EXIT_OK
    except ModuleNotFoundError as error:
        line = extras.explanation(error)
        if line is None:
            raise
        print(f"groundwatch: {line}", file=sys.stderr)
        return EXIT_USER_ERROR
    except Exception as error:
        line = _line_of(error)
        if line is None:
            raise
        print(f"{NAME}: {' '.join(line.split())}", file=sys.stderr)
        return EXIT_USER_ERROR
    return status or EXIT_OK


def _line_of(error: Exception) -> str | None:
    """The fault and its remedy, for an error that the user can correct; None for a bug."""
    if isinstance(error, click.UsageError):
        path = error.ctx.command_path if error.ctx else NAME
        example = ""
        if isinstance(error, click.MissingParameter) and error.ctx and error.ctx.command.epilog:
            example = f", for example: {error.ctx.command.epilog.splitlines()[-1].strip()}"
        return f"{error.format_message().rstrip('.')}{example} (see `{path} --help`)"
    if isinstance(error, OSError) and error.errno in _DISK_FULL:
        try:
            sys.stdout.flush()
        except OSError:  # it was the standard output that is full
            _drop_output()
        where = f" at {error.filename}" if error.filename else ""
        return f"no space is left on the disk{where}: make room and run this again"
    return str(error) if _is_user_error(error) else None


def _drop_output() -> None:
    """Discard the buffer, which cannot be written: Python would fail again at its exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _is_user_error(error: Exception) -> bool:
    """Know the three packages' user errors without importing a package that was not used."""
    known: list[type[Exception]] = [UserError]
    for module_name, class_name in (
        ("gateway.errors", "GroundwatchError"),
        ("sim_hardware.errors", "SimError"),
    ):
        module = sys.modules.get(module_name)
        if module is not None:
            known.append(getattr(module, class_name))
    return isinstance(error, tuple(known))


if __name__ == "__main__":
    sys.exit(main())
