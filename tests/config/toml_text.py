# SPDX-License-Identifier: MIT
"""Any plain values as TOML, tables inline: for tests only."""

from __future__ import annotations

import json
import math
from datetime import datetime
from typing import Any


def format_toml(document: dict[str, Any]) -> str:
    return "".join(f"{_text(name)} = {_value(value)}\n" for name, value in document.items())


def _text(value: str) -> str:
    # JSON's escapes are TOML's, but for the one control character that JSON lets stand.
    return json.dumps(value).replace("\x7f", "\\u007f")


def _value(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case float() if math.isnan(value):
            return "nan"
        case float() if math.isinf(value):
            return "inf" if value > 0 else "-inf"
        case float():
            return repr(value) if "." in repr(value) or "e" in repr(value) else f"{value}.0"
        case int():
            return str(value)
        case str():
            return _text(value)
        case datetime():
            return value.isoformat()
        case list():
            return f"[{', '.join(map(_value, value))}]"
        case _:
            return f"{{{', '.join(f'{_text(k)} = {_value(v)}' for k, v in value.items())}}}"
