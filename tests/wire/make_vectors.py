# SPDX-License-Identifier: MIT
"""Write tests/wire/vectors/*.json without any project code.

The keys of the fields are written out here a second time, by hand, from docs/wire.md; payloads come
from cbor2, keys from cryptography, sealed messages from pycose. So an error of ours in the table,
encoder or the envelope cannot also be in the vectors. The files published_*.json are not made
here: their figures are those of the documents they name. Run: python tests/wire/make_vectors.py
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import vector_faults
import vector_seal_faults
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand
from pycose.algorithms import AESCCM1664128
from pycose.headers import Algorithm, PartialIV
from pycose.keys import SymmetricKey
from pycose.messages import Enc0Message
from vector_messages import MESSAGES, payload_of


def expand(key: bytes, label: str, length: int) -> bytes:
    """HKDF-Expand with a label of this project."""
    info = f"groundwatch/v1 {label}".encode()
    return HKDFExpand(algorithm=SHA256(), length=length, info=info).derive(key)


def keys() -> list[dict[str, Any]]:
    """Key schedules of some nodes."""
    out = []
    for root, site, node, generation in (
        (bytes(range(32)), "ford", "n07", 1),
        (bytes(range(32)), "ford", "n07", 2),
        (bytes(range(32)), "ford", "n08", 1),
        (bytes(32), "a", "b", 65_535),
        (b"\xff" * 32, "abcdefghij-_0123", "zyxwvutsrq-_9876", 10),
    ):
        info = f"groundwatch/v1/{site}/{node}/{generation}".encode()
        node_key = HKDF(algorithm=SHA256(), length=32, salt=b"", info=info).derive(root)
        out.append(
            {
                "fleet_root": root.hex(),
                "site": site,
                "node": node,
                "generation": generation,
                "node_key": node_key.hex(),
                "up_key": expand(node_key, "up key", 16).hex(),
                "up_iv": expand(node_key, "up iv", 13).hex(),
                "down_key": expand(node_key, "down key", 16).hex(),
                "down_iv": expand(node_key, "down iv", 13).hex(),
                "mqtt_password": expand(node_key, "mqtt password", 16).hex(),
            }
        )
    return out


def cose(key: bytes, iv: bytes, piv: bytes, payload: bytes, aad: bytes) -> bytes:
    """An untagged COSE_Encrypt0 by pycose."""
    message = Enc0Message(
        phdr={Algorithm: AESCCM1664128},
        uhdr={PartialIV: piv},
        payload=payload,
        external_aad=aad,
        key=SymmetricKey(key, optional_params={"ALG": AESCCM1664128, "BASE_IV": iv}),
    )
    return bytes(message.encode(tag=False))


def sealed() -> list[dict[str, Any]]:
    """Every message vector, sealed in each counter space or direction it may take."""
    node = keys()[0]
    out = []
    for position, (name, _, number, fields) in enumerate(MESSAGES):
        payload = payload_of(number, fields)
        boot, seq = 3 + position, 258 * position + 1
        if number < 16:
            side, aad = "up", b"groundwatch/v1/ford/n07/up"
            counters = boot.to_bytes(2, "big") + seq.to_bytes(2, "big")
            pivs = [counters, b"\x01" + counters]
        else:
            side, aad = "down", b"groundwatch/v1/ford/n07/down" + boot.to_bytes(2, "big")
            count = 1 << min(39, 3 * (position - 11))
            pivs = [count.to_bytes((count.bit_length() + 7) // 8, "big")]
        key, iv = bytes.fromhex(node[f"{side}_key"]), bytes.fromhex(node[f"{side}_iv"])
        for piv in pivs:
            out.append(
                {
                    "name": f"{name}_{len(piv)}",
                    "key": key.hex(),
                    "iv": iv.hex(),
                    "piv": piv.hex(),
                    "aad": aad.hex(),
                    "payload": payload.hex(),
                    "sealed": cose(key, iv, piv, payload, aad).hex(),
                }
            )
    return out


def jsonable(value: Any) -> Any:
    """Bytes as hex digits; the type of the field distinguishes them from text."""
    return value.hex() if isinstance(value, bytes) else value


def write(folder: Path, name: str, content: list[dict[str, Any]]) -> None:
    """One vector per line, so that a change is one line of a diff."""
    lines = ",\n".join(json.dumps(entry) for entry in content)
    (folder / name).write_text(f"[\n{lines}\n]\n", encoding="ascii")


def main(folder: Path) -> None:
    """Write all files."""
    write(
        folder,
        "messages.json",
        [
            {
                "name": name,
                "message": message,
                "values": {field: jsonable(value) for field, (_, value) in fields.items()},
                "payload": payload_of(number, fields).hex(),
            }
            for name, message, number, fields in MESSAGES
        ],
    )
    write(
        folder,
        "refused.json",
        [{"name": n, "payload": p.hex(), "reason": r} for n, p, r in vector_faults.refused()],
    )
    write(folder, "keys.json", keys())
    write(folder, "sealed.json", sealed())
    good = next(vector for vector in sealed() if vector["name"] == "detection_onset_4")
    write(folder, "sealed_refused.json", vector_seal_faults.refused(good))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).with_name("vectors"))
