# SPDX-License-Identifier: MIT
"""Data sets: what may be published, what is in them, and untrusted archives."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.record.conftest import CONSENT
from tools.cli import main
from tools.record import archive

OneLine = Callable[[int], str]


@pytest.mark.parametrize("kind", [".tar.gz", ".zip"])
def test_export_and_check_agree_on_a_set_and_its_sheet(
    kind: str, takes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / f"set{kind}"
    assert main(["record", "export", str(takes), "--out", str(out), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["takes"], facts["people"], facts["marks"]) == (2, ["p03"], 4)
    assert main(["record", "check", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["takes"] == 2
    files = dict(archive.read(out))
    sheet = json.loads(files["datasheet.json"])
    assert sheet["soils"] == ["loam"] and sheet["boards"] == ["pico_w"]
    assert sheet["hours"] == pytest.approx(120 / 3600, abs=0.001)
    assert sheet["hours_background"] == pytest.approx(60 / 3600, abs=0.001)
    assert b"pseudonym" in files["CONSENT.md"]
    assert b"| People | p03 |" in files["DATASHEET.md"]
    # The list of names is not in the set.
    assert not any(b"Okafor" in data or b"Ben" in data for data in files.values())
    again = tmp_path / f"again{kind}"
    assert main(["record", "export", str(takes), "--out", str(again)]) == 0
    assert dict(archive.read(again)) == files


@pytest.mark.parametrize(
    ("people", "complaint"),
    [
        ("", "p03 is not in people.toml"),
        ('[[person]]\nid = "p03"\n', "no consent of p03"),
        (CONSENT + "withdrawn = 2026-06-01\n", "withdrew"),
        ('[[person]]\nid = "Ben"\n', "must be p and two or three digits"),
        (CONSENT + 'shoe = "boots"\n', "shoe"),
    ],
)
def test_export_without_consent_is_refused(
    people: str, complaint: str, takes: Path, tmp_path: Path, one_line: OneLine
) -> None:
    (takes / "people.toml").write_text(people)
    out = tmp_path / "set.tar.gz"
    assert complaint in one_line(main(["record", "export", str(takes), "--out", str(out)]))
    assert not out.exists()


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ('"p03 walks past', '"Ben walks past', "Ben"),
        ('"p03 walks past', '"ben walks past', "ben"),
        ('"p03 walks past', '"Carla walks past', "Carla"),
        ('"p03 walks past', '"p04 walks past', "p04"),
        ('"place": "meadow"', '"place": "Ben\'s meadow"', "Ben"),
        ('"faults": []', '"faults": ["Okafor stumbled"]', "Okafor"),
    ],
)
def test_export_of_a_take_that_names_a_person_is_refused(
    old: str, new: str, word: str, takes: Path, tmp_path: Path, one_line: OneLine
) -> None:
    path = takes / "d1-p03-walks" / "recording.json"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    line = one_line(main(["record", "export", str(takes), "--out", str(tmp_path / "s.zip")]))
    assert repr(word) in line


def test_export_of_a_mark_or_folder_that_names_a_person_is_refused(
    takes: Path, tmp_path: Path, one_line: OneLine
) -> None:
    out = ["--out", str(tmp_path / "s.zip")]
    marks = takes / "d1-p03-walks" / "marks.json"
    text = marks.read_text()
    marks.write_text(text.replace('"end"', '"Ben sits down"'))
    assert "'Ben'" in one_line(main(["record", "export", str(takes), *out]))
    marks.write_text(text)
    (takes / "d1-p03-walks").rename(takes / "d1-ben-walks")
    assert "'ben'" in one_line(main(["record", "export", str(takes), *out]))


def test_export_of_invalid_folders_is_one_line(
    takes: Path, tmp_path: Path, one_line: OneLine
) -> None:
    out = str(tmp_path / "set.tar.gz")
    assert "no such folder" in one_line(main(["record", "export", "/nowhere", "--out", out]))
    assert "must end in" in one_line(main(["record", "export", str(takes), "--out", "set.rar"]))
    (tmp_path / "none").mkdir()
    nothing = str(tmp_path / "none")
    assert "no recorded take" in one_line(main(["record", "export", nothing, "--out", out]))
    (takes / "d1-background" / "n07.npz").unlink()
    assert "n07.npz is missing" in one_line(main(["record", "export", str(takes), "--out", out]))
    (takes / "d1-background" / "recording.json").unlink()
    line = one_line(main(["record", "export", str(takes), "--out", "/proc/x.zip"]))
    assert "cannot write" in line


@pytest.fixture
def good(takes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, bytes]:
    """The files of a set that passes the check."""
    out = tmp_path / "good.tar.gz"
    assert main(["record", "export", str(takes), "--out", str(out)]) == 0
    capsys.readouterr()
    return dict(archive.read(out))


def _tar(path: Path, members: list[tuple[tarfile.TarInfo, bytes]]) -> Path:
    with tarfile.open(path, "w:gz") as made:
        for info, data in members:
            info.size = len(data)
            made.addfile(info, io.BytesIO(data))
    return path


@pytest.mark.parametrize(
    "name",
    ["../evil", "/etc/evil", "takes/../../evil", "takes/x/../y", "a\\..\\b", ".hidden", "a/b/c/d"],
)
def test_check_refuses_names_that_leave_the_set(
    name: str, good: dict[str, bytes], tmp_path: Path, one_line: OneLine
) -> None:
    members = [(tarfile.TarInfo(one), data) for one, data in good.items()]
    path = _tar(tmp_path / "hostile.tar.gz", [*members, (tarfile.TarInfo(name), b"x")])
    assert "is no file name" in one_line(main(["record", "check", str(path)]))
    path = tmp_path / "hostile.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr(zipfile.ZipInfo(name), b"x")
    assert "is no file name" in one_line(main(["record", "check", str(path)]))
    assert not (tmp_path / "evil").exists() and not Path("/etc/evil").exists()


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.XHDTYPE]
)
def test_check_refuses_what_is_no_plain_file(
    kind: bytes, tmp_path: Path, one_line: OneLine
) -> None:
    info = tarfile.TarInfo("CONSENT.md")
    info.type, info.linkname = kind, "/etc/passwd"
    path = tmp_path / "hostile.tar.gz"
    with gzip.open(path, "wb") as made:
        made.write(info.tobuf(tarfile.USTAR_FORMAT))
    assert "no plain file" in one_line(main(["record", "check", str(path)]))


def test_check_refuses_sizes_that_no_set_has(tmp_path: Path, one_line: OneLine) -> None:
    info = tarfile.TarInfo("CONSENT.md")
    info.size = archive.FILE_BYTES_MAX + 1
    path = tmp_path / "hostile.tar.gz"
    with gzip.open(path, "wb") as made:
        made.write(info.tobuf(tarfile.USTAR_FORMAT))
    assert "larger than" in one_line(main(["record", "check", str(path)]))
    info.size = 1000
    with gzip.open(path, "wb") as made:
        made.write(info.tobuf(tarfile.USTAR_FORMAT) + b"short")
    assert "ends within" in one_line(main(["record", "check", str(path)]))


def test_check_finds_every_change(
    good: dict[str, bytes], tmp_path: Path, one_line: OneLine
) -> None:
    path = tmp_path / "changed.tar.gz"
    for name in good:
        data = bytearray(good[name])
        data[len(data) // 2] ^= 1
        archive.write(path, {**good, name: bytes(data)})
        one_line(main(["record", "check", str(path)]))
        archive.write(path, {other: data for other, data in good.items() if other != name})
        one_line(main(["record", "check", str(path)]))
    archive.write(path, {**good, "takes/d1-background/more.txt": b"x"})
    assert "does not belong" in one_line(main(["record", "check", str(path)]))
    archive.write(path, {**good, "takes/d1-background/n09.npz": b"x"})
    assert "SHA256SUMS" in one_line(main(["record", "check", str(path)]))


def test_check_of_a_file_that_is_no_archive_is_one_line(tmp_path: Path, one_line: OneLine) -> None:
    assert "no such file" in one_line(main(["record", "check", "/nowhere.zip"]))
    for name in ("noise.tar.gz", "noise.zip"):
        (tmp_path / name).write_bytes(bytes(range(256)) * 9)
        assert "damaged" in one_line(main(["record", "check", str(tmp_path / name)]))
    archive.write(tmp_path / "cut.tar.gz", {"CONSENT.md": b"x" * 5000})
    whole = (tmp_path / "cut.tar.gz").read_bytes()
    for size in (0, 1, 20, len(whole) - 9):
        (tmp_path / "cut.tar.gz").write_bytes(whole[:size])
        one_line(main(["record", "check", str(tmp_path / "cut.tar.gz")]))
