# SPDX-License-Identifier: MIT
"""What we import is what pyproject.toml asks for: no module that is here by accident."""

from __future__ import annotations

import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.tree import ON_NODE, ROOT, imports, python_files

OURS = {"boards", "gateway", "micropython", "sim_hardware", "tests", "tools", "ugs"}
# Run in MicroPython or stand in for its modules: judged by the import law, not here.
ELSEWHERE = (*ON_NODE, "sim_hardware/cpython/")


def _declared(*extras):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = list(project["dependencies"])
    for extra in extras:
        wanted += project["optional-dependencies"][extra]
    return {canonicalize_name(Requirement(text).name) for text in wanted}


def _extras():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


def _undeclared(paths, declared):
    owners = packages_distributions()
    found = set()
    for path in paths:
        for name in imports(path):
            top = name.split(".")[0]
            if not top or top in OURS or top in sys.stdlib_module_names:
                continue
            if (ROOT / path).with_name(f"{top}.py").exists():  # a script's neighbour
                continue
            if not {canonicalize_name(owner) for owner in owners.get(top, (top,))} & declared:
                found.add(f"{path} imports {top}")
    return sorted(found)


@pytest.mark.parametrize("package", ["gateway", "sim_hardware"])
def test_imports_of_what_runs_are_runtime_dependencies(package):
    paths = [path for path in python_files(package) if not path.startswith(ELSEWHERE)]
    connectors = [path for path in paths if path.startswith("gateway/connectors/")]
    emulated = [path for path in paths if path.startswith("sim_hardware/emulated/")]
    assert paths
    assert not _undeclared(sorted({*paths} - {*connectors, *emulated}), _declared())
    assert not _undeclared(emulated, _declared("picow"))
    # A connector's library is an extra of its name.
    for path in connectors:
        extra = path.split("/")[2]
        assert not _undeclared([path], _declared(*([extra] if extra in _extras() else [])))


def test_imports_of_the_workbench_are_dependencies_of_running_checking_or_training():
    assert not _undeclared(python_files("tools"), _declared("check", "train"))


def test_imports_of_tests_are_declared_in_some_extra():
    paths = [path for path in python_files("tests") if "/on_node/" not in path]
    # packaging comes with pytest, which depends on it; atheris with `make fuzz` (its lock file).
    declared = _declared("build", "test", "check", "picow") | {"packaging", "atheris"}
    assert not _undeclared(paths, declared)
