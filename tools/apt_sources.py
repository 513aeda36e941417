# SPDX-License-Identifier: MIT
"""Read which Debian mirror this machine uses from its own apt sources (sources.list(5))."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path


class SourcesError(Exception):
    """apt's sources name no Debian mirror."""


def debian_mirrors(etc: Path = Path("/etc")) -> list[str]:
    """Return the mirror URIs whose suite is the machine's Debian release, best first.

    etc: the configuration root; a test hands in its own. Raises SourcesError when there is none.
    """
    release = _os_release(etc)
    if release.get("ID") != "debian":
        raise SourcesError("this system is not Debian")
    codename = release.get("VERSION_CODENAME", "")
    mirrors: list[str] = []
    for uri, suite, components in _entries(etc / "apt"):
        if suite == codename and "main" in components and uri not in mirrors:
            mirrors.append(uri)
    if not mirrors:
        raise SourcesError(f"no mirror of {codename or 'Debian'} in apt's sources")
    return mirrors


def _os_release(etc: Path) -> dict[str, str]:
    try:
        text = (etc / "os-release").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
    return {name: value.strip("\"'") for name, _, value in pairs}


def _entries(apt: Path) -> Iterator[tuple[str, str, list[str]]]:
    """Yield (uri, suite, components) of every enabled binary source."""
    parts = apt / "sources.list.d"
    for path in sorted(parts.glob("*.sources")):
        yield from _deb822(path.read_text(encoding="utf-8", errors="replace"))
    for path in [apt / "sources.list", *sorted(parts.glob("*.list"))]:
        if path.is_file():
            yield from _one_line(path.read_text(encoding="utf-8", errors="replace"))


def _deb822(text: str) -> Iterator[tuple[str, str, list[str]]]:
    uncommented = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for stanza in re.split(r"\n\s*\n", uncommented):
        fields = {
            name.strip().lower(): " ".join(value.split())
            for name, value in re.findall(r"^([\w-]+):((?:.*)(?:\n[ \t].*)*)", stanza, re.M)
        }
        enabled = fields.get("enabled", "yes").lower() not in ("no", "false", "0")
        if not enabled or "deb" not in fields.get("types", "").split():
            continue
        components = fields.get("components", "").split()
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                yield uri, suite, components


def _one_line(text: str) -> Iterator[tuple[str, str, list[str]]]:
    for line in text.splitlines():
        match = re.match(r"^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+([^#]*)", line)
        if match:
            yield match[1], match[2], match[3].split()
