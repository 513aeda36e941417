# SPDX-License-Identifier: MIT
"""No file of the repository names its development machine or a package source."""

from __future__ import annotations

import re

from tests.architecture.tree import ROOT, files

# Spelled in pieces, so that this file passes its own check.
FOLDERS = ("work", "root", "home", "tmp", "Users")
LOCAL_PATH = re.compile(r"(?<![\w.~\"'}])/(?:" + "|".join(FOLDERS) + r")/\w|[\"'`]/(?:work|root)/")
HOSTS = re.compile(
    "|".join(
        re.escape(".".join(parts))
        for parts in (
            ("pypi", "org"),
            ("pythonhosted", "org"),
            ("npmjs", "org"),
            ("npmjs", "com"),
            ("debian", "org/debian"),
            ("crates", "io"),
            ("golang", "org"),
        )
    )
)
BINARY = (".png", ".npz", ".ico", ".gz", ".i32", ".bin", ".woff2", ".ogg", ".wav")


def _lines():
    for path in files():
        if not path.endswith(BINARY):
            text = (ROOT / path).read_text(encoding="utf-8")
            yield from ((path, number, line) for number, line in enumerate(text.splitlines(), 1))


def test_tracked_text_names_no_path_of_one_machine():
    assert not [f"{path}:{n}: {line}" for path, n, line in _lines() if LOCAL_PATH.search(line)]


def test_tracked_text_names_no_package_registry():
    assert not [f"{path}:{n}: {line}" for path, n, line in _lines() if HOSTS.search(line)]


def test_tracked_files_are_text_or_small():
    big = {path: size for path in files() if (size := (ROOT / path).stat().st_size) > 1_000_000}
    assert not big
