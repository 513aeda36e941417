# SPDX-License-Identifier: MIT
"""Workbench, bench: a simple script with paho and sqlite3, one commit for every message.

It decrypts and decodes the payload with libraries, and stores a row once. SQLite has its defaults,
rollback journal and synchronous=FULL, so a row is durable when its commit returns.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from pathlib import Path

import cbor2
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

TABLE = """CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY, node TEXT NOT NULL, lane INTEGER NOT NULL, boot INTEGER NOT NULL,
    seq INTEGER NOT NULL, kind INTEGER NOT NULL, value TEXT NOT NULL,
    UNIQUE (node, lane, boot, seq))"""
_INSERT = (
    "INSERT OR IGNORE INTO message (node, lane, boot, seq, kind, value) VALUES (?, ?, ?, ?, ?, ?)"
)


def main(port: int, database: Path, keys_file: Path) -> None:
    """Until killed."""
    keys = {
        topic: (AESCCM(bytes.fromhex(key), tag_length=8), bytes.fromhex(iv))
        for topic, (key, iv) in json.loads(keys_file.read_text()).items()
    }
    store = sqlite3.connect(database, check_same_thread=False)
    store.execute(TABLE)
    store.commit()

    def on_message(_client: paho.Client, _userdata: object, message: paho.MQTTMessage) -> None:
        cipher, iv = keys[message.topic]
        _protected, unprotected, body = cbor2.loads(message.payload)
        piv = unprotected[6]
        mixed = int.from_bytes(iv, "big") ^ int.from_bytes(piv, "big")
        aad = cbor2.dumps(["Encrypt0", bytes.fromhex("a1010a"), message.topic.encode()])
        value = cbor2.loads(cipher.decrypt(mixed.to_bytes(13, "big"), body, aad))
        boot, seq = int.from_bytes(piv[-4:-2], "big"), int.from_bytes(piv[-2:], "big")
        node = message.topic.split("/")[3]
        row = (node, int(len(piv) == 5), boot, seq, value[0], json.dumps(value))
        store.execute(_INSERT, row)
        store.commit()

    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="naive")
    client.on_connect = lambda client, *_: client.subscribe("groundwatch/v1/bench/+/up", 1)
    client.on_message = on_message
    client.connect("127.0.0.1", port)
    client.loop_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
