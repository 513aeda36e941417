# SPDX-License-Identifier: MIT
"""`python -m tools.wiring` writes docs/boards; --check verifies that it is current."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tools.wiring import pages

_FOLDER = Path(__file__).resolve().parent.parent.parent / "docs" / "boards"


def main(argv: list[str] | None = None) -> int:
    """0, or 1 when --check finds a page that is not current."""
    parser = argparse.ArgumentParser(prog="python -m tools.wiring", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    if not parser.parse_args(argv).check:
        pages.write(_FOLDER)
        return 0
    old = pages.stale(_FOLDER)
    for name in old:
        print(f"docs/boards/{name} is not current: python -m tools.wiring", file=sys.stderr)
    return 1 if old else 0


if __name__ == "__main__":
    sys.exit(main())
