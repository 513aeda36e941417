# SPDX-License-Identifier: MIT
"""Every import is a declared dependency in pyproject.toml."""

from __future__ import annotations

import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.tree import ON_NODE, ROOT, imports, python_files

OURS = {"boards", "gateway", "micropython", "sim_hardware", "tests", "tools", "ugs"}
# Run in MicroPython or stand in for its modules: checked by the import law, not here.
ELSEWHERE = (*ON_NODE, "sim_hardware/cpython/")

PYTEST_PLUGIN = "tools/simrun/pytest_plugin.py"  # loaded by pytest alone


def _declared(*extras):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = list(project["dependencies"])
    for extra in extras:
        wanted += project["optional-dependencies"][extra]
    return {canonicalize_name(Requirement(text).name) for text in wanted}


@cache  # it reads the metadata of every installed package, for a second and more
def _owners():
    return packages_distributions()


def _undeclared(paths, declared):
    owners = _owners()
    found = set()
    for path in paths:
        for name in imports(path):
            top = name.split(".")[0]
            if not top or top in OURS or top in sys.stdlib_module_names:
                continue
            if (ROOT / path).with_name(f"{top}.py").exists():  # a module beside the script
                continue
            if not {canonicalize_name(owner) for owner in owners.get(top, (top,))} & declared:
                found.add(f"{path} imports {top}")
    return sorted(found)


# Folders and modules that a gateway alone never imports, and the extras that have their libraries.
OF_EXTRAS = {
    "gateway/connectors/email/": ("email",),
    "gateway/keysafe.py": ("keyring",),
    "gateway/store/postgresql.py": ("postgresql",),
    "sim_hardware/emulated/": ("picow",),
    "sim_hardware/miniseed.py": ("recordings",),
    "sim_hardware/": ("sim",),
}


@pytest.mark.parametrize("package", ["gateway", "sim_hardware"])
def test_imports_of_what_runs_are_dependencies_or_of_their_extra(package):
    paths = [path for path in python_files(package) if not path.startswith(ELSEWHERE)]
    assert paths
    for path in paths:
        extras = next((names for part, names in OF_EXTRAS.items() if path.startswith(part)), ())
        assert not _undeclared([path], _declared(*extras))


def test_imports_of_tools_are_of_running_or_checking():
    extras = ("flash", "sim", "score", "recordings", "train", "picow", "check")
    paths = [path for path in python_files("tools") if path != PYTEST_PLUGIN]
    assert not _undeclared(paths, _declared(*extras))


def test_imports_of_the_pytest_plugin_are_pytest_and_of_simulating():
    assert not _undeclared([PYTEST_PLUGIN], _declared("sim", "test"))


def test_imports_of_tests_are_declared_in_some_extra():
    paths = [path for path in python_files("tests") if "/on_node/" not in path]
    # packaging comes with pytest, which depends on it; atheris with `make fuzz` and cosmic-ray with
    # `make mutants` (their lock files).
    extras = (
        "build",
        "test",
        "check",
        "flash",
        "keyring",
        "picow",
        "postgresql",
        "recordings",
        "score",
        "train",
    )
    declared = _declared(*extras) | {"packaging", "atheris", "cosmic-ray"}
    assert not _undeclared(paths, declared)
