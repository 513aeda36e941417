# SPDX-License-Identifier: MIT
"""The OpenAPI document: it is current, and the running gateway keeps to it whatever it is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from gateway.api import openapi
from gateway.api.routes import ROUTES
from tests.api.running import Running, running_gateway

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.json"
STREAM = "/api/v1/stream"  # never ends

SCHEMA = schemathesis.openapi.from_dict(openapi.document()).exclude(path=STREAM)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running_gateway(tmp_path_factory.mktemp("api")) as running:
        yield running


def test_openapi_document_in_docs_is_what_the_routes_make() -> None:
    assert DOCUMENT.read_text() == openapi.written(), (
        "run: python -m gateway.api.openapi > docs/openapi.json"
    )


def test_openapi_document_names_each_operation_once() -> None:
    names = [route.name for route in ROUTES]
    assert len(set(names)) == len(names) >= 30


@SCHEMA.parametrize()
@hypothesis.settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(hypothesis.HealthCheck),
)
def test_api_any_request_by_the_document_gets_an_answer_by_the_document(
    case: schemathesis.Case, gateway: Running
) -> None:
    response = case.call(base_url=gateway.url, headers=gateway.headers)
    case.validate_response(
        response,
        checks=[
            not_a_server_error,
            status_code_conformance,
            content_type_conformance,
            response_schema_conformance,
        ],
    )


def test_api_gateway_runs_on_after_all_of_that(gateway: Running) -> None:
    asyncio.run_coroutine_threadsafe(asyncio.sleep(0), gateway.loop).result(5)
    assert gateway.status_of("/api/v1/nodes") == 200
