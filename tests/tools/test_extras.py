# SPDX-License-Identifier: MIT
"""Extras: a gateway alone runs without them, and a missing one is one line that installs it."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import gateway.commands
from tests.architecture.tree import ROOT
from tools.errors import UserError
from tools.extras import LIBRARIES, explanation, need

# Of no extra: running a site, issuing keys to nodes at the cable, and maintaining both.
GATEWAY_ALONE = (
    *(
        f"gateway.commands.{found.name}"
        for found in pkgutil.iter_modules(gateway.commands.__path__)
    ),
    "tools.bundle",
    "tools.doctor",
    "tools.init.cli",
    "tools.monitor",
    "tools.power.cli",
    "tools.provision",
    "tools.record.cli",
    "tools.release",
    "tools.replay",
    "tools.update",
)
_WITHOUT = f"""
import importlib, sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {sorted({name for libs in LIBRARIES.values() for name in libs})!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Missing())
"""


def _without_extras(script, *words):
    return subprocess.run(
        [sys.executable, "-c", _WITHOUT + script, *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def _pyproject():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def _names(requirements):
    return {canonicalize_name(Requirement(text).name) for text in requirements}


def test_libraries_of_extras_are_those_of_pyproject():
    extras = _pyproject()["optional-dependencies"]
    owners = packages_distributions()
    listed = {
        extra: {canonicalize_name(owners[library][0]) for library in libraries}
        for extra, libraries in LIBRARIES.items()
    }
    assert listed == {extra: _names(extras[extra]) for extra in LIBRARIES}
    assert Requirement(extras["all"][0]).extras == LIBRARIES.keys()


def test_gateway_alone_imports_no_library_of_an_extra():
    script = f"for name in {GATEWAY_ALONE!r}: importlib.import_module(name)"
    ran = _without_extras(script)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "extra"),
    [
        (("flash", "n07"), "flash"),
        (("sim", "export", "walker"), "sim"),
        (("demo",), "sim"),
        (("score", "--suite"), "score"),
        (("recordings", "."), "recordings"),
        (("train", "--out", "model.bin"), "train"),
    ],
)
def test_missing_extra_is_one_line_that_installs_it(words, extra):
    ran = _without_extras("from tools.cli import main; sys.exit(main())", *words)
    line = f'groundwatch: this needs the extra "{extra}": pip install "groundwatch[{extra}]"\n'
    assert (ran.returncode, ran.stdout, ran.stderr) == (2, "", line)


def test_missing_library_of_no_extra_keeps_its_traceback():
    assert explanation(ModuleNotFoundError("No module named 'hidden'", name="hidden")) is None
    assert explanation(ModuleNotFoundError("of no name")) is None


def test_system_without_posix_modules_is_named_in_one_line():
    script = """
sys.modules["fcntl"] = None
from tools.cli import main
sys.exit(main(["gateway", "run"]))
"""
    ran = _without_extras(script)
    assert ran.returncode == 2
    assert ran.stderr == "groundwatch: this needs Linux or macOS; on Windows install it in WSL\n"


def test_need_names_the_extra_before_a_verb_starts(monkeypatch):
    monkeypatch.setattr("tools.extras.find_spec", lambda _library: None)
    with pytest.raises(UserError, match=r'"train": pip install "groundwatch\[train\]"'):
        need("sklearn")
