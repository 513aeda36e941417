# SPDX-License-Identifier: MIT
"""Workbench, bench: Node-RED with its MQTT node and its SQLite node, installed by npm on demand."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from tools.bench.peers.naive import TABLE
from tools.errors import UserError

CACHE = Path.home() / ".cache" / "groundwatch" / "node-red"
_INSTALL_S = 900
_DECODE = Path(__file__).with_name("decode.js")
# The SQLite node's module brings a compiled part: newer npm builds it only when it is named.
_PACKAGE = {
    "name": "groundwatch-bench-peer",
    "private": True,
    "dependencies": {"node-red": "4.1.15", "node-red-node-sqlite": "1.1.1"},
    "allowScripts": {"sqlite3": True},
}
_SETTINGS = """\
const fs = require("fs");
const table = JSON.parse(fs.readFileSync({keys}, "utf8"));
const keys = {{}};
for (const [topic, [key, iv]] of Object.entries(table)) {{
    keys[topic] = [Buffer.from(key, "hex"), Buffer.from(iv, "hex")];
}}
module.exports = {{
    flowFile: "flows.json", httpAdminRoot: false, httpNodeRoot: false, uiHost: "127.0.0.1",
    uiPort: 0, telemetry: {{ enabled: false, updateNotification: false }},
    logging: {{ console: {{ level: "warn" }} }},
    functionGlobalContext: {{ keys, crypto: require("crypto") }},
}};
"""


def ensure_installed() -> Path:
    """The folder with Node-RED in it. Raises UserError when it cannot be had."""
    wanted = json.dumps(_PACKAGE, indent=1)
    stamp = CACHE / "installed.json"
    if stamp.exists() and stamp.read_text() == wanted:
        return CACHE
    npm = shutil.which("npm")
    if npm is None:
        raise UserError(
            "Node-RED needs npm, which is not here: install Node.js 18 or newer (Debian: "
            "apt install nodejs npm), or leave this peer out with --peers naive"
        )
    print("bench: installing Node-RED by npm, some minutes ...", file=sys.stderr, flush=True)
    CACHE.mkdir(parents=True, exist_ok=True)
    (CACHE / "package.json").write_text(wanted)
    try:
        subprocess.run(
            [npm, "install", "--no-audit", "--no-fund", "--loglevel=error"],
            cwd=CACHE,
            check=True,
            timeout=_INSTALL_S,
            capture_output=True,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        lines = (error.stderr or b"").decode(errors="replace").strip().splitlines()
        cause = [line for line in lines if "Error:" in line][:1]  # the last line names npm's log
        reason = " ".join((*cause, *lines[-1:])) or str(error)
        raise UserError(f"npm cannot install Node-RED: {reason}") from None
    if not list(CACHE.glob("node_modules/sqlite3/build/Release/*.node")):
        raise UserError(
            f"npm left sqlite3's compiled part out in {CACHE}: a C++ compiler and make are needed"
        )
    stamp.write_text(wanted)
    return CACHE


def command(folder: Path, port: int, database: Path, keys_file: Path) -> list[str]:
    """Write flow and settings into `folder`; what to run."""
    home = ensure_installed()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "node_modules").symlink_to(home / "node_modules")
    (folder / "package.json").write_text(json.dumps(_PACKAGE))
    (folder / "settings.js").write_text(_SETTINGS.format(keys=json.dumps(str(keys_file))))
    (folder / "flows.json").write_text(json.dumps(_flow(port, database)))
    node = shutil.which("node")
    assert node is not None
    red = home / "node_modules" / "node-red" / "red.js"
    return [node, str(red), "--userDir", str(folder), "--settings", str(folder / "settings.js")]


def _flow(port: int, database: Path) -> list[dict[str, object]]:
    insert = (
        "INSERT OR IGNORE INTO message (node, lane, boot, seq, kind, value) "
        "VALUES ($node, $lane, $boot, $seq, $kind, $value)"
    )
    return [
        {"id": "tab", "type": "tab", "label": "bench"},
        {
            "id": "broker",
            "type": "mqtt-broker",
            "broker": "127.0.0.1",
            "port": str(port),
            "clientid": "node-red",
            "cleansession": True,
            "protocolVersion": "4",
            "autoConnect": True,
            "keepalive": "60",
        },
        {"id": "db", "type": "sqlitedb", "db": str(database), "mode": "RWC"},
        {
            "id": "in",
            "type": "mqtt in",
            "z": "tab",
            "topic": "groundwatch/v1/bench/+/up",
            "qos": "1",
            "datatype": "buffer",
            "broker": "broker",
            "wires": [["decode"]],
        },
        {
            "id": "decode",
            "type": "function",
            "z": "tab",
            "func": _DECODE.read_text(),
            "outputs": 1,
            "wires": [["insert"]],
        },
        {
            "id": "insert",
            "type": "sqlite",
            "z": "tab",
            "mydb": "db",
            "sqlquery": "prepared",
            "sql": insert,
            "wires": [[]],
        },
    ]


__all__ = ["TABLE", "command", "ensure_installed"]
