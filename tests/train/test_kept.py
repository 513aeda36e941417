# SPDX-License-Identifier: MIT
"""Features kept in a folder, and real ground that a user names."""

import numpy as np
import pytest

from sim_hardware.fastpath import FEATURES
from tools.cli import main
from tools.errors import UserError
from tools.train import kept as store
from tools.train import real
from tools.train.listen import Hops


def hops(value):
    return Hops(
        np.full((5, FEATURES), value, np.uint8),
        np.zeros(5, np.uint8),
        np.arange(5.0),
        np.zeros(5, np.uint8),
    )


def test_what_is_kept_is_given_again_and_not_made_again(tmp_path):
    made = []

    def make():
        made.append(1)
        return hops(7)

    first = store.kept(tmp_path / "cache", "train_1", make)
    again = store.kept(tmp_path / "cache", "train_1", make)
    assert len(made) == 1
    assert all(np.array_equal(vars(first)[key], vars(again)[key]) for key in vars(first))
    assert store.kept(None, "train_1", lambda: hops(8)).features[0, 0] == 8


def test_other_code_is_another_file(tmp_path, monkeypatch):
    store.kept(tmp_path, "train_1", lambda: hops(1))
    monkeypatch.setattr(store, "state", lambda: "0" * 16)
    assert store.kept(tmp_path, "train_1", lambda: hops(2)).features[0, 0] == 2


def test_cache_that_cannot_be_written_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="--cache"):
        store.kept(tmp_path / "file", "train_1", lambda: hops(1))


def test_half_of_the_real_ground_sets_limits(tmp_path):
    for name in "abcde":
        np.savez(tmp_path / f"{name}.npz", counts=np.zeros(300, np.int16), fs_hz=250.0)
    learned, checked = real.find(tmp_path)
    assert [p.stem for p in learned] == ["a", "c", "e"] and [p.stem for p in checked] == ["b", "d"]
    for name in "bcde":
        (tmp_path / f"{name}.npz").unlink()
    with pytest.raises(UserError, match="two are the least"):
        real.find(tmp_path)


def test_recording_becomes_hops_of_nothing(tmp_path, micropython):
    rng = np.random.default_rng(1)
    counts = rng.normal(0, 60, 60 * 250).astype(np.int32)
    np.savez(tmp_path / "a.npz", counts=counts, fs_hz=250.0, t0_utc_s=0.0)
    found = real.listen(tmp_path / "a.npz", micropython)
    assert found.features.shape[1] == FEATURES and found.features.shape[0] > 60
    assert not found.labels.any()
    (tmp_path / "b.npz").write_bytes(b"no zip")
    with pytest.raises(UserError, match=r"b\.npz"):
        real.listen(tmp_path / "b.npz", micropython)


def test_folder_that_is_none_is_one_line_and_exit_code_2(tmp_path, capsys):
    out = tmp_path / "m.bin"
    assert main(["train", "--ground", str(tmp_path / "none"), "--out", str(out)]) == 2
    assert capsys.readouterr().err.count("\n") == 1 and not out.exists()
