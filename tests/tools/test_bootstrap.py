# SPDX-License-Identifier: MIT
"""Preparing a checkout: silent when it is ready, one line when it cannot be."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from tests.architecture.tree import ROOT
from tools import bootstrap
from tools.errors import UserError

COMMAND = [sys.executable, "-m", "tools.bootstrap", "--tests"]

STAMP = bootstrap.VENV / f"{bootstrap.DEV_LOCK.name}.stamp"

# The tests' own environment is the subject: only one that is up to date can be found ready.
ready_checkout = pytest.mark.skipif(
    not STAMP.exists()
    or STAMP.read_text() != bootstrap._digest(bootstrap.DEV_LOCK, ROOT / "pyproject.toml"),
    reason="the lock has changed since `make test` made this environment",
)


@ready_checkout
def test_bootstrap_of_a_ready_checkout_is_silent_and_quick():
    started_s = time.monotonic()
    ran = subprocess.run(COMMAND, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert time.monotonic() - started_s < 15


@ready_checkout
def test_bootstraps_in_parallel_all_succeed():
    running = [subprocess.Popen(COMMAND, cwd=ROOT) for _ in range(3)]
    assert [process.wait(timeout=60) for process in running] == [0, 0, 0]


def test_python_without_ensurepip_gives_a_plain_user_the_package_to_install(tmp_path, monkeypatch):
    bare = tmp_path / "python3"
    bare.write_text("#!/bin/sh\nexit 1\n")
    bare.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(bare))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(UserError, match=r"apt-get install python3\.\d+-venv"):
        bootstrap._ensure_ensurepip()


def test_missing_programs_give_a_plain_user_one_line_naming_all(monkeypatch):
    monkeypatch.setattr(bootstrap, "TEST_PACKAGES", {"mosquitto": "no-such-1", "cat": "cat"})
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(UserError, match="tests need mosquitto ") as caught:
        bootstrap._ensure_programs()
    assert "\n" not in str(caught.value)


def test_missing_programs_are_installed_by_root_after_renewing_old_lists(tmp_path, monkeypatch):
    log = tmp_path / "log"
    apt = tmp_path / "apt-get"
    # Fails until the lists were updated, as on a fresh machine.
    apt.write_text(
        f'#!/bin/sh\nif [ "$1" = install ]; then\n  grep -q update "{log}" 2>/dev/null || '
        f'{{ echo "$*" >> "{log}"; exit 100; }}\nfi\necho "$*" >> "{log}"\n'
    )
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    bootstrap._apt_install(["mosquitto"], "unused")
    verbs = [line.split()[0] for line in log.read_text().splitlines()]
    assert verbs == ["install", "update", "install"]


def test_bootstrap_on_an_old_python_names_the_version_it_needs(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    with pytest.raises(UserError, match=r"3\.11 or later is needed, this is 3\.9"):
        bootstrap._require_python()


def test_changed_lock_makes_the_stamp_stale(tmp_path):
    lock = tmp_path / "a.lock"
    lock.write_text("a==1\n")
    before = bootstrap._digest(lock)
    lock.write_text("a==2\n")
    assert bootstrap._digest(lock) != before
