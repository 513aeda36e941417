# SPDX-License-Identifier: MIT
"""The lock files: exact versions with hashes, no index, and all dependencies of the project."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.tree import ROOT

LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-stubs.lock")
# The extras that `make demo`, `make score` and the like run on.
RUN = ("flash", "keyring", "postgresql", "recordings", "score", "sim")


def _locked(name):
    joined = (ROOT / name).read_text().replace("\\\n", " ")
    return [line for line in joined.splitlines() if line.strip() and line[0] not in " #"]


def _versions(name):
    pinned = (re.match(r"([\w.\-]+)==(\S+)", line) for line in _locked(name))
    return {canonicalize_name(match[1]): match[2] for match in pinned if match}


@pytest.mark.parametrize("name", LOCKS)
def test_lock_pins_every_line_by_version_and_hash(name):
    loose = [
        line for line in _locked(name) if not re.match(r"[\w.\-]+==\S+.* --hash=sha256:", line)
    ]
    assert not loose
    assert _versions(name)


@pytest.mark.parametrize("name", LOCKS)
def test_lock_names_no_index_and_no_host(name):
    text = (ROOT / name).read_text()
    assert "://" not in text
    assert "--index-url" not in text
    assert "--find-links" not in text


@pytest.mark.parametrize(
    ("name", "extras"),
    [
        ("requirements.lock", ("build", *RUN)),
        ("requirements-dev.lock", ("build", *RUN, "check", "email", "picow", "test", "train")),
    ],
)
def test_lock_holds_all_dependencies_of_the_project(name, extras):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = list(project["dependencies"])
    for extra in extras:
        wanted += project["optional-dependencies"][extra]
    versions = _versions(name)
    missing = [
        text
        for text in wanted
        if (need := Requirement(text))
        and not need.specifier.contains(versions.get(canonicalize_name(need.name), "0.0.0.dev0"))
    ]
    assert not missing, "run `make lock`"


def test_lock_for_tests_agrees_with_the_runtime_lock():
    runtime, tests = _versions("requirements.lock"), _versions("requirements-dev.lock")
    assert runtime.items() <= tests.items()
