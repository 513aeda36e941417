# SPDX-License-Identifier: MIT
"""One interface to the four codecs that must agree: gateway, and node on three interpreters."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
Ask = Callable[[list[list[Any]]], list[Any]]
NODES = ("node_cpython", "node_micropython", "node_micropython_i386")


def _module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _ask_micropython(binary: Path, questions: list[list[Any]]) -> list[Any]:
    done = subprocess.run(
        [str(binary), str(HERE / "node_answers.py")],
        input="".join(json.dumps(question) + "\n" for question in questions),
        env={**os.environ, "MICROPYPATH": f"{ROOT / 'firmware'}:.frozen"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def _ask(name: str, request: pytest.FixtureRequest) -> Ask:
    if name.startswith("node_micropython"):
        binary: Path = request.getfixturevalue(name.removeprefix("node_"))
        return lambda questions: _ask_micropython(binary, questions)
    module = _module("gateway_answers" if name == "gateway" else "node_answers")
    return lambda questions: [json.loads(json.dumps(module.answer(q))) for q in questions]


@pytest.fixture(params=("gateway", *NODES))
def codec(request: pytest.FixtureRequest) -> Ask:
    """Each of the four codecs in turn: a list of questions in, their answers out."""
    return _ask(request.param, request)


@pytest.fixture(params=NODES)
def node(request: pytest.FixtureRequest) -> Ask:
    """The node's code on each interpreter, for what only it has."""
    return _ask(request.param, request)


@pytest.fixture
def gateway(request: pytest.FixtureRequest) -> Ask:
    """The gateway's codec alone, to compare others with."""
    return _ask("gateway", request)


@pytest.fixture
def vectors() -> Callable[[str], list[dict[str, Any]]]:
    """Vectors by the name of their file."""

    def load(name: str) -> list[dict[str, Any]]:
        content: list[dict[str, Any]] = json.loads((HERE / "vectors" / f"{name}.json").read_text())
        return content

    return load
