# SPDX-License-Identifier: MIT
# configuration of one node: node.json, validated strictly once at boot.

import binascii
import json

_KEYS = ("site", "node", "board", "key", "x_m", "y_m", "pir", "release", "link")
_RADIO_KEYS = ("wifi", "broker")
_ID_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_-"


class ConfigError(ValueError):
    # The message names the key, the error and a valid example.
    pass


class Config:
    # Set by parse_config(). A method would keep all of this module, which main.py releases.
    #   key: as provisioned over the cable; None once it was rotated and removed (ugs.ratchet)
    #   release: the public key of firmware releases, None without updates
    #   address: of `host` when the node was flashed, "" if unknown
    site = node = board = ssid = passphrase = country = host = address = ""
    port = x_m = y_m = 0
    is_wired = pir = False
    key = release = None


def load_config(path):
    try:
        with open(path) as file:
            text = file.read(4096)
    except OSError:
        raise ConfigError("%s is missing; write it with: groundwatch bundle" % path)
    try:
        table = json.loads(text)
    except ValueError:
        raise ConfigError("%s is not JSON; write it again with: groundwatch bundle" % path)
    return parse_config(table)


def parse_config(table):
    config = Config()
    config.is_wired = type(table) is dict and table.get("link") == "serial"
    if config.is_wired:
        _no_other_keys("node.json", table, _KEYS)
    else:
        _set_network(config, table)
    config.site = _identifier(table, "site", "north")
    config.node = _identifier(table, "node", "n07")
    config.board = _identifier(table, "board", "pico_w")
    config.key = _key(table, "key") if "key" in table else None
    config.x_m = _number(table, "x_m")
    config.y_m = _number(table, "y_m")
    pir = table.get("pir")
    if type(pir) is not bool:
        raise ConfigError("pir must be true or false")
    config.pir = pir
    config.release = _key(table, "release") if "release" in table else None
    return config


def _set_network(config, table):
    _no_other_keys("node.json", table, _KEYS + _RADIO_KEYS)
    if table.get("link", "wifi") != "wifi":
        raise ConfigError('link must be "wifi" or "serial"')
    wifi = table.get("wifi")
    _no_other_keys("wifi", wifi, ("ssid", "passphrase", "country"))
    broker = table.get("broker")
    _no_other_keys("broker", broker, ("host", "port", "address"))
    port = broker.get("port")
    if type(port) is not int or not 1 <= port <= 65535:
        raise ConfigError("broker.port must be 1..65535, as in 1883")
    config.ssid = _text(wifi, "ssid", "wifi.", 1, 32, "field")
    config.passphrase = _text(wifi, "passphrase", "wifi.", 0, 63)
    config.country = _country(wifi) if "country" in wifi else "XX"
    config.host = _text(broker, "host", "broker.", 1, 64, "192.168.4.1")
    config.port = port
    config.address = _address(broker) if "address" in broker else ""


def _country(wifi):
    value = _text(wifi, "country", "wifi.", 2, 2, "DE")
    if not ("A" <= value[0] <= "Z" and "A" <= value[1] <= "Z"):
        raise ConfigError('wifi.country must be two capital letters, as in "DE"')
    return value


def _address(broker):
    value = _text(broker, "address", "broker.", 7, 15, "192.168.4.1")
    parts = value.split(".")
    if len(parts) != 4 or not all(part.isdigit() and int(part) <= 255 for part in parts):
        raise ConfigError('broker.address must be four numbers, as in "192.168.4.1"')
    return value


def _no_other_keys(name, table, known):
    if type(table) is not dict:
        raise ConfigError("%s must be a table with the keys %s" % (name, ", ".join(known)))
    for key in table:
        if key not in known:
            raise ConfigError("%s has the unknown key %s; known are %s" % (name, key, known))


def _text(table, key, prefix, low, high, example=""):
    value = table.get(key)
    if type(value) is not str or not low <= len(value.encode()) <= high:
        raise ConfigError(
            '%s%s must be a text of %d..%d bytes, as in "%s"' % (prefix, key, low, high, example)
        )
    return value


def _identifier(table, key, example):
    value = _text(table, key, "", 1, 16, example)
    for letter in value:
        if letter not in _ID_LETTERS:
            raise ConfigError('%s may hold only a-z 0-9 _ -, as in "%s"' % (key, example))
    return value


def _number(table, key):
    value = table.get(key)
    if type(value) not in (int, float) or not -100_000 <= value <= 100_000:
        raise ConfigError("%s must be a number of metres, as in 12.5" % key)
    return value


def _key(table, name):
    # Never shown, not even in part: anyone who finds a node can read its console.
    try:
        key = binascii.unhexlify(table.get(name))
    except (ValueError, TypeError):
        key = b""
    if len(key) != 32:
        raise ConfigError("%s must be 64 hexadecimal digits; groundwatch bundle writes them" % name)
    return key
