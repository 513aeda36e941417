# SPDX-License-Identifier: MIT
"""Diagnosis MicroPython: a named one is used or refused, an unpacked one runs."""

from __future__ import annotations

import subprocess

import pytest

from tools import micropython as finder
from tools.micropython import MicropythonMissingError, find


def _program(path, answer, status=0):
    path.write_text(f"#!/bin/sh\necho '{answer}'\nexit {status}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """A machine without any MicroPython, and without apt."""
    monkeypatch.delenv("MICROPYTHON", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_find_with_a_named_executable_returns_it(nowhere, monkeypatch):
    named = _program(nowhere / "mp", "1 25")
    monkeypatch.setenv("MICROPYTHON", str(named))
    assert find() == named


@pytest.mark.parametrize(
    ("answer", "status", "reason"),
    [("1 20", 0, "1.20"), ("no module cryptolib", 1, "cryptolib")],
)
def test_find_with_an_unusable_named_executable_names_the_reason(
    nowhere, monkeypatch, answer, status, reason
):
    monkeypatch.setenv("MICROPYTHON", str(_program(nowhere / "mp", answer, status)))
    with pytest.raises(MicropythonMissingError, match=reason):
        find()


def test_find_with_a_name_that_is_no_program_names_the_variable(nowhere, monkeypatch):
    monkeypatch.setenv("MICROPYTHON", str(nowhere / "absent"))
    with pytest.raises(MicropythonMissingError, match=r"\$MICROPYTHON"):
        find()


def test_find_on_path_takes_a_usable_one_and_skips_an_old_one(nowhere):
    _program(nowhere / "micropython", "1 17")
    with pytest.raises(MicropythonMissingError):
        find()
    _program(nowhere / "micropython", "1 23")
    assert find() == nowhere / "micropython"


def test_find_without_apt_names_the_package_in_one_line(nowhere):
    with pytest.raises(MicropythonMissingError, match="install micropython") as caught:
        find()
    assert "\n" not in str(caught.value)


def test_find_in_cache_skips_a_broken_copy(nowhere):
    for version, answer in (("1.25.0", "1 25"), ("1.26.0", "broken")):
        host = finder.DEBIAN_ARCH.get(finder.platform.machine())
        folder = finder.cache_dir() / f"micropython_{version}_{host}"
        folder.mkdir(parents=True)
        _program(folder / "micropython", answer, status=0 if answer == "1 25" else 1)
    assert "1.25.0" in str(find())


def test_i386_build_has_the_boards_small_integers(micropython_i386):
    ran = subprocess.run(
        [micropython_i386, "-c", "import sys; print(sys.maxsize)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(ran.stdout) == 2**31 - 1


@pytest.mark.slow
@pytest.mark.parametrize("arch", ["amd64", "i386"])
def test_unpack_into_an_empty_cache_gives_a_running_interpreter(arch, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "a cache"))
    logged = []
    executable = finder._unpack(arch, logged.append)
    assert len(logged) == 1
    assert not finder._fault(executable)
    assert find(arch, log=logged.append) == executable
    assert len(logged) == 1
