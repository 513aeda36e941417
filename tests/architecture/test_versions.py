# SPDX-License-Identifier: MIT
"""Versions: the headings of the changelog, and the number of the package."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from itertools import pairwise

from packaging.version import Version

from tests.architecture.tree import ROOT

HEADING = re.compile(r"## (\d+\.\d+\.\d+) - (\d{4}-\d{2}-\d{2})")


def headings() -> list[str]:
    """Of the changelog, the newest first."""
    text = (ROOT / "CHANGELOG.md").read_text()
    return [line for line in text.splitlines() if line.startswith("## ")]


def released() -> list[tuple[Version, date]]:
    """Versions with their dates. Raises ValueError for a day that is none."""
    found = [HEADING.fullmatch(line) for line in headings() if line != "## Unreleased"]
    assert all(found), headings()
    return [(Version(one[1]), date.fromisoformat(one[2])) for one in found if one]


def number() -> Version:
    """Of the package."""
    return Version(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


def test_headings_of_the_changelog_are_numbers_with_dates_newest_first() -> None:
    assert ("## Unreleased" in headings()[1:]) is False
    assert released()
    for (new, new_day), (old, old_day) in pairwise(released()):
        assert new > old
        assert new_day >= old_day


def test_number_of_the_package_is_that_of_the_newest_heading_or_one_in_work() -> None:
    newest = released()[0][0]
    if headings()[0] == "## Unreleased":
        assert number().is_devrelease and number() > newest
    else:
        assert number() == newest


def test_page_of_releases_names_every_version() -> None:
    page = (ROOT / "docs" / "releasing.md").read_text()
    for version, _day in released():
        assert f"\n| {version} |" in page
