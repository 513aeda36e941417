# SPDX-License-Identifier: MIT
"""Accountability: the evidence in an exported file, read as untrusted input."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.audit import chain
from gateway.audit.checkpoint import EXPORT_PREFIX, is_signed
from gateway.audit.verify import Evidence, Row
from gateway.errors import ConfigError

_MAX_FILE = 256 << 20
_AUDIT = ("at_us", "actor", "action", "subject", "reason", "until_us", "detail_json")
_ALARM = ("id", "kind", "key", "raised_us", "open", "value")
_HISTORY = ("id", "alarm_id", "at_us", "change", "by", "value")


def read(path: Path) -> bytes:
    """The file's bytes. Raises ConfigError."""
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_FILE + 1)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None
    if len(data) > _MAX_FILE or not data.startswith(b'{"type":"export"'):
        raise ConfigError(f"{path} is neither a store nor an export")
    return data


def signature_problem(data: bytes, keys: Mapping[bytes, Ed25519PublicKey]) -> str:
    """What is wrong with the last line, or nothing: it signs every byte before it."""
    at = data.rstrip(b"\n").rfind(b"\n") + 1
    body, end = data[:at], data[at:]
    try:
        last = _object(end)
        if last["type"] != "signature":
            raise ValueError("another line")
        key = keys.get(_bytes(last["key_id"]))
        signature = _bytes(last["signature"])
    except (ValueError, KeyError):
        return "the file ends without its signature"
    if key is None:
        return "the file is signed by a key that was not given"
    if not is_signed(key, EXPORT_PREFIX + body, signature):
        return "the file was changed after it was signed"
    return ""


def evidence(data: bytes) -> Evidence:
    """The stretch of the chain, checkpoints and history in the file. Raises ValueError."""
    entries: list[Row] = []
    checkpoints: list[Row] = []
    history: list[Row] = []
    alarms: list[Row] = []
    start, link = (0, chain.GENESIS), chain.GENESIS
    try:
        for line in data.splitlines():
            value = _object(line)
            match value["type"]:
                case "chain":
                    link = _bytes(value["link"])
                    if not entries:
                        start = (int(value["number"]), link)
                case "audit" | "digest":
                    row = _entry(value, link)
                    link = row[-1]
                    entries.append(row)
                case "checkpoint":
                    checkpoints.append(_checkpoint(value))
                case "alarm":
                    alarms.append(tuple(value[name] for name in _ALARM))
                case "history":
                    history.append(tuple(value[name] for name in _HISTORY))
    except (ValueError, KeyError, TypeError):
        raise ValueError("not an export as this version knows it") from None
    return Evidence(entries, checkpoints, history, alarms, start=start, whole=False)


def _entry(value: dict[str, Any], before: bytes) -> Row:
    digest = _bytes(value["digest"])
    link = chain.link(before, digest)
    if value["type"] == "digest":
        return (value["id"], *(None,) * 8, digest, link)
    content = (value[name] for name in _AUDIT)
    return (value["id"], *content, _bytes(value["salt"]), digest, link)


def _checkpoint(value: dict[str, Any]) -> Row:
    texts = (_bytes(value[name]) for name in ("key_id", "signature"))
    return (value["number"], _bytes(value["link"]), value["at_us"], *texts)


def _object(line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def _bytes(text: object) -> bytes:
    if not isinstance(text, str):
        raise ValueError("not hexadecimal digits")
    return bytes.fromhex(text)
