# SPDX-License-Identifier: MIT
"""Configuration: whatever is wrong with it is said in one line that names the key."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway import config
from gateway.config.site import load_site
from gateway.errors import ConfigError

NODE = '[site]\nname = "yard"\n[[node]]\nid = "n01"\nx_m = 0\ny_m = 0\n'


def test_config_example_is_read(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(config.EXAMPLE)
    read = config.load_config(path)
    assert read.data_dir == tmp_path / "data"
    assert read.broker.kind is config.BrokerKind.EMBEDDED
    assert read.console.host == "127.0.0.1"


@pytest.mark.parametrize(
    ("change", "names"),
    [
        (("[broker]", "[brokr]"), "brokr"),
        (('kind = "embedded"', 'kind = "rabbit"'), "broker.kind"),
        (("port = 1883", "port = 99999"), "broker.port"),
        (("port = 1883", 'port = "1883"'), "broker.port"),
        (("port = 1883", "prot = 1883"), "broker.prot"),
        (("port = 1883", 'username = "x"'), "broker.username"),
        (("[gateway]", "[gateway"), "TOML"),
        (("[gateway]\n", "[other]\n"), "gateway"),
    ],
)
def test_config_wrong_is_one_line_with_the_key(
    tmp_path: Path, change: tuple[str, str], names: str
) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(config.EXAMPLE.replace(*change, 1))
    with pytest.raises(ConfigError) as error:
        config.load_config(path)
    assert names in str(error.value)
    assert "\n" not in str(error.value)


def test_config_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        config.load_config(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('[site]\nname = "yard"\n', "node"),
        (NODE.replace('"yard"', '"Yard 1"'), "site.name"),
        (NODE + NODE.partition("\n[[")[2].replace("node]]", "[[node]]"), "twice"),
        (NODE.replace('"n01"', '"gateway"'), "id"),
        (NODE.replace("x_m = 0", "x_m = true"), "x_m"),
        (NODE.replace("x_m = 0", "x_m = nan"), "x_m"),
        (NODE + '[[sector]]\nid = "s"\npolygon = [[0, nan]]\n', "polygon"),
        (NODE + f'[[sector]]\nid = "s"\npolygon = [[0, 1{"0" * 400}]]\n', "polygon"),
        (NODE + "colour = 1\n", "colour"),
        (NODE + '[[sector]]\nid = "s"\npolygon = [[0, "a"]]\n', "polygon"),
    ],
)
def test_site_wrong_is_one_line_with_the_key(tmp_path: Path, text: str, names: str) -> None:
    path = tmp_path / "site.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as error:
        load_site(path)
    assert names in str(error.value)
    assert "\n" not in str(error.value)
