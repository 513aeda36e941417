# SPDX-License-Identifier: MIT
"""Prepare a checkout: .venv from the lock file, MicroPython, and what the tests need.

Called by the Makefile before every target, on any bare Python 3.11 (standard library only). Safe to
repeat (a stamp makes that instant) and to run in parallel (a file lock makes the second one wait).
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from tools.errors import UserError
from tools.micropython import MicropythonMissingError, find

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STUBS = VENV / "stubs"
RUNTIME_LOCK = ROOT / "requirements.lock"
DEV_LOCK = ROOT / "requirements-dev.lock"
STUBS_LOCK = ROOT / "requirements-stubs.lock"
STUB_PREFIX, STUB_SUFFIX = "micropython_", "_stubs"
# Debian package -> the program the tests run from it.
TEST_PACKAGES = {
    "mosquitto": "mosquitto",
    "chromium": "chromium",
    "curl": "curl",
    "openssl": "openssl",
    "postgresql": "pg_ctlcluster",
    "strace": "strace",
    "systemd": "systemd-analyze",
}


def _log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> int:
    """Run from the Makefile; with --tests also what the checks and tests need."""
    parser = argparse.ArgumentParser(prog="tools.bootstrap", description=__doc__)
    parser.add_argument("--tests", action="store_true", help="also what the tests need")
    args = parser.parse_args()
    try:
        _require_python()
        lock_path = ROOT / ".cache" / "bootstrap.lock"
        lock_path.parent.mkdir(exist_ok=True)
        with lock_path.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            _ensure_venv()
            _ensure_packages(DEV_LOCK if args.tests else RUNTIME_LOCK)
            if args.tests:
                _ensure_stubs()
        find(log=_log)
        _show_path_hint()
        if args.tests:
            _ensure_programs()
            _try_i386()
    except UserError as error:
        _log(f"groundwatch: {error}")
        return 2
    except subprocess.CalledProcessError as error:
        _log(f"groundwatch: `{' '.join(map(str, error.cmd))}` failed; its output is above")
        return 2
    return 0


def _require_python() -> None:
    if sys.version_info < (3, 11):
        found = ".".join(map(str, sys.version_info[:2]))
        raise UserError(
            f"Python 3.11 or later is needed, this is {found}: try `make PYTHON=python3.11`"
        )


def _venv_python() -> Path:
    return VENV / "bin" / "python"


def _ensure_venv() -> None:
    probe = [str(_venv_python()), "-c", "import pip"]
    if (
        _venv_python().exists()
        and subprocess.run(probe, capture_output=True, check=False).returncode == 0
    ):
        return
    _ensure_ensurepip()
    _log(f"Python: making .venv with Python {sys.version.split()[0]} ...")
    shutil.rmtree(VENV, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)


def _ensure_ensurepip() -> None:
    """Debian splits ensurepip from Python: install it as root, else name the package."""
    probe = [sys.executable, "-c", "import ensurepip"]
    if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
        return
    package = f"python3.{sys.version_info.minor}-venv"
    _apt_install([package], f"Python cannot make virtual environments: install {package}")


def _apt_install(packages: list[str], otherwise: str) -> None:
    """Install Debian packages when root; else raise UserError with `otherwise`."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise UserError(f"{otherwise} (on Debian: sudo apt-get install {' '.join(packages)})")
    _log(f"Debian: installing {', '.join(packages)} ...")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    first = subprocess.run(install, env=environment, capture_output=True, check=False)
    if first.returncode != 0:  # usually: package lists that are missing or too old
        subprocess.run(["apt-get", "update", "-qq"], env=environment, check=True)
        subprocess.run(install, env=environment, stdout=subprocess.DEVNULL, check=True)


def _pip(*words: str | Path) -> None:
    quiet = ("-qq", "--disable-pip-version-check", "--no-input")
    subprocess.run([_venv_python(), "-m", "pip", words[0], *quiet, *words[1:]], check=True)


def _digest(*paths: Path) -> str:
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in paths)).hexdigest()


def _ensure_packages(lock: Path) -> None:
    """Install one lock file and this project; the stamp holds the digest of what is installed."""
    stamp = VENV / f"{lock.name}.stamp"
    digest = _digest(lock, ROOT / "pyproject.toml")
    dev_stamp = VENV / f"{DEV_LOCK.name}.stamp"
    current = stamp.read_text() if stamp.exists() else ""
    if current == digest or (
        dev_stamp.exists() and dev_stamp.read_text() == _digest(DEV_LOCK, ROOT / "pyproject.toml")
    ):
        return
    _log(f"Python: installing packages of {lock.name} ...")
    stamp.unlink(missing_ok=True)
    # The lock is complete, so nothing is resolved; every file must match a hash in it.
    # Compiling every module of every package up front takes longer than the tests save by it.
    _pip("install", "--no-deps", "--no-compile", "--require-hashes", "-r", lock)
    _pip("install", "--no-deps", "--no-build-isolation", "-e", ROOT)
    stamp.write_text(digest)


def _ensure_stubs() -> None:
    """Unpack each port's type stubs into a folder of its own: their files collide in one."""
    stamp = STUBS / "stamp"
    digest = _digest(STUBS_LOCK)
    if stamp.exists() and stamp.read_text() == digest:
        return
    _log("Python: unpacking MicroPython's type stubs ...")
    shutil.rmtree(STUBS, ignore_errors=True)
    wheels = STUBS / "wheels"
    _pip("download", "--no-deps", "--require-hashes", "-d", wheels, "-r", STUBS_LOCK)
    for wheel in wheels.glob(f"{STUB_PREFIX}*{STUB_SUFFIX}-*.whl"):
        port = wheel.name.split("-")[0].removeprefix(STUB_PREFIX).removesuffix(STUB_SUFFIX)
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(STUBS / port)
    stamp.write_text(digest)


def _ensure_programs() -> None:
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"  # where Debian puts daemons
    missing = [
        name for name, program in TEST_PACKAGES.items() if not shutil.which(program, path=path)
    ]
    if missing:
        _apt_install(missing, f"the tests need {' and '.join(missing)}")


def _show_path_hint() -> None:
    """Once, after the installation, when the command is not on PATH."""
    stamp = VENV / "path.stamp"
    if stamp.exists() or shutil.which("groundwatch"):
        return
    _log(f'Python: export PATH="{VENV / "bin"}:$PATH" puts `groundwatch` on PATH')
    stamp.write_text("")


def _try_i386() -> None:
    """The 32-bit interpreter is optional: without it its tests skip with this reason."""
    try:
        find("i386", log=_log)
    except MicropythonMissingError as error:
        _log(f"MicroPython i386: {error}; tests on it will be skipped")


if __name__ == "__main__":
    sys.exit(main())
