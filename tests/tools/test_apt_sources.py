# SPDX-License-Identifier: MIT
"""Which mirror this machine uses: apt's two formats, and sources that are no mirror."""

from __future__ import annotations

import pytest

from tools.apt_sources import SourcesError, debian_mirrors

DEB822 = """\
# the main archive
Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
"""


@pytest.fixture
def etc(tmp_path):
    (tmp_path / "apt" / "sources.list.d").mkdir(parents=True)
    (tmp_path / "os-release").write_text('ID=debian\nVERSION_CODENAME="bookworm"\n')
    return tmp_path


def _source(etc, name, text):
    (etc / "apt" / name).write_text(text)


def test_mirror_of_a_deb822_file_is_the_release_not_security(etc):
    _source(etc, "sources.list.d/debian.sources", DEB822)
    assert debian_mirrors(etc) == ["http://mirror.example/debian"]


def test_mirror_of_a_one_line_file_is_found_behind_options(etc):
    _source(
        etc,
        "sources.list",
        "# deb http://old.example/debian bookworm main\n"
        "deb-src http://src.example/debian bookworm main\n"
        "deb [arch=amd64 signed-by=/k.gpg] https://one.example/debian bookworm main contrib # x\n",
    )
    assert debian_mirrors(etc) == ["https://one.example/debian"]


def test_mirrors_of_both_formats_are_listed_once_each(etc):
    _source(etc, "sources.list.d/debian.sources", DEB822)
    _source(etc, "sources.list", "deb http://mirror.example/debian bookworm main\n")
    assert debian_mirrors(etc) == ["http://mirror.example/debian"]


@pytest.mark.parametrize(
    "text",
    [
        "deb https://vendor.example/linux/debian bookworm stable\n",
        "deb https://vendor.example/node nodistro main\n",
        "",
    ],
)
def test_sources_of_vendors_alone_are_refused(etc, text):
    _source(etc, "sources.list.d/vendor.list", text)
    with pytest.raises(SourcesError, match="bookworm"):
        debian_mirrors(etc)


def test_disabled_stanza_is_skipped(etc):
    _source(etc, "sources.list.d/debian.sources", f"Enabled: no\n{DEB822.split('#')[1][18:]}")
    with pytest.raises(SourcesError):
        debian_mirrors(etc)


def test_system_that_is_not_debian_is_refused(etc):
    (etc / "os-release").write_text("ID=ubuntu\nVERSION_CODENAME=noble\n")
    with pytest.raises(SourcesError, match="not Debian"):
        debian_mirrors(etc)
