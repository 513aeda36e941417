# SPDX-License-Identifier: MIT
"""API: the OpenAPI 3.1 document, made from the table of routes and the structs it names."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import msgspec

from gateway.api.call import MAX_KEY
from gateway.api.prefix import PREFIX
from gateway.api.routes import ROUTES, Route, Types
from gateway.api.schema.answers import Problem

VERSION = "1.0"
_REF = "#/components/schemas/{name}"
_WHY = {
    400: "The request is invalid",
    401: "Not signed in, or no valid token",
    403: "Not allowed for this identity, or not from the console's own page",
    404: "There is no such thing",
    409: "Not possible in the present state",
    413: "The body is too large",
    422: "The Idempotency-Key was used for another request",
    429: "Too many failures: wait",
    503: "The store does not answer, or too much is under way: try again",
}
_READ = (400, 401, 403, 404, 409, 413, 429, 503)
_WRITTEN = (*_READ, 422)


def written() -> str:
    """The document as docs/openapi.json holds it."""
    return json.dumps(document(), indent=1) + "\n"


def document() -> dict[str, Any]:
    """The document as plain values."""
    # Schemas of queries too: they are read apart into parameters, not referred to.
    types: list[Types] = [Problem, *_types()]
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    named: dict[Types, dict[str, Any]] = dict(zip(types, schemas, strict=True))
    queries = {route.query.__name__ for route in ROUTES}
    paths: dict[str, Any] = {}
    for route in ROUTES:
        operation = _operation(route, named, components)
        paths.setdefault(PREFIX + route.path, {})[route.method.lower()] = operation
    kept = {name: schema for name, schema in components.items() if name not in queries}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Groundwatch",
            "version": VERSION,
            "license": {"name": "MIT", "identifier": "MIT"},
            "description": "The gateway: what is true now, what was, and what people do about it. "
            "Times are UTC microseconds, positions local metres and WGS 84 degrees.",
        },
        "servers": [{"url": "http://127.0.0.1:8480"}],
        "security": [{"token": []}, {"session": []}],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(kept.items())),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "groundwatch-8480"},
            },
        },
    }


def _types() -> list[Types]:
    found: dict[Types, None] = {}
    for route in ROUTES:
        found[route.answer] = found[route.query] = None
        if route.body is not None:
            found[route.body] = None
    return list(found)


def _operation(
    route: Route, named: dict[Types, dict[str, Any]], components: dict[str, Any]
) -> dict[str, Any]:
    content = "text/event-stream" if route.name == "getStream" else "application/json"
    problems = _WRITTEN if route.act else _READ
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "description": f"Scope: {route.scope.value}.",
        "parameters": _parameters(route, components),
        "responses": {
            "200": {
                "description": "Done" if route.act else "Found",
                "content": {content: {"schema": named[route.answer]}},
            },
            **{
                str(status): {
                    "description": _WHY[status],
                    "content": {"application/json": {"schema": named[Problem]}},
                }
                for status in problems
            },
        },
    }
    if route.body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": named[route.body]}},
        }
    return operation


def _parameters(route: Route, components: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"\{(\w+)\}", route.path)
    ]
    schema = components[route.query.__name__]
    required = set(schema.get("required", ()))
    for name, one in schema["properties"].items():
        found.append({"name": name, "in": "query", "required": name in required, "schema": one})
    if route.act:
        schema = {"type": "string", "minLength": 1, "maxLength": MAX_KEY, "pattern": "^[!-~]+$"}
        found.append(
            {"name": "Idempotency-Key", "in": "header", "required": False, "schema": schema}
        )
    return found


if __name__ == "__main__":  # python -m gateway.api.openapi > docs/openapi.json
    sys.stdout.write(written())
