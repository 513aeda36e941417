# SPDX-License-Identifier: MIT
# version: of this firmware; `groundwatch release` rewrites the line for each release.

FIRMWARE = "0.1.0"


def number(text):
    # 1.2.3 as 1_002_003, so that versions compare as numbers. Raises ValueError.
    parts = [int(part) for part in text.split(".") if part.isdigit() and len(part) <= 3]
    if len(parts) != 3 or text != "%d.%d.%d" % tuple(parts):
        raise ValueError("a version is like 1.2.3")
    return (parts[0] * 1000 + parts[1]) * 1000 + parts[2]
