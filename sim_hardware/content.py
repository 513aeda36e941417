# SPDX-License-Identifier: MIT
"""Ground layer: the kind of a recording, by its content before its name."""

import re
from pathlib import Path

from sim_hardware.errors import SimError

SUFFIXES = {".npz": "npz", ".wav": "wav", ".wave": "wav"} | dict.fromkeys(
    (".mseed", ".miniseed", ".ms", ".msd", ".seed"), "miniseed"
)
# A header of miniSEED 2 (SEED 2.4, chapter 8) or 3 (FDSN miniSEED 3).
MINISEED = re.compile(rb"[0-9 \0]{6}[DRQM][ \0][0-9A-Z ]{5}|MS\x03")
_HEAD_BYTES = 1 << 16


def kind_of(path: Path) -> str:
    """npz, wav or miniseed; empty where it is none of them. Raises SimError."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        raise SimError(f"{path}: cannot be read ({error.strerror})") from None
    if head.startswith(b"PK\x03\x04"):
        return "npz"
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return "wav"
    if MINISEED.match(head):
        return "miniseed"
    # The start may be damaged; archives name files without a suffix.
    named = SUFFIXES.get(path.suffix.lower(), "")
    return named or ("miniseed" if MINISEED.search(head) else "")


def is_recording(path: Path) -> bool:
    """What to read of a folder: a zip archive is one by its name alone."""
    try:
        named = path.suffix.lower() in SUFFIXES
        return path.is_file() and (named or kind_of(path) in ("wav", "miniseed"))
    except SimError:
        return False
