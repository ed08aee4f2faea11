"""Folders named like splits are splits, in every usual spelling, and never labels; what is unclear stops."""

import logging
import os

import pytest

from spikinghash.datasets.layouts import find_recordings
from spikinghash.errors import ConfigError


def lay(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


@pytest.mark.parametrize("layout", ["class_folders", "image_folder"])
@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("Train", "Test"),
        ("TRAIN", "TEST"),
        ("training", "testing"),
        ("train_set", "Test-Data"),
        ("Training", "validation"),
        ("train2017", "test2017"),
        ("N-MNIST-Train", "N-MNIST-Test"),
        ("train_1", "test_1"),
    ],
)
def test_usual_spellings_of_splits_are_splits(tmp_path, layout, train, test):
    lay(tmp_path, f"{train}/0/a.bin", f"{train}/1/b.bin", f"{test}/0/c.bin")
    found = find_recordings(tmp_path, layout)
    assert sorted((r.label, r.split) for r in found) == sorted(
        [("0", "train"), ("1", "train"), ("0", "val" if test == "validation" else "test")]
    )


@pytest.mark.parametrize("stray", ["docs/readme.txt", "__MACOSX/train/0/._a.bin"])
def test_a_stray_folder_beside_the_splits_is_left_out_and_named(tmp_path, stray, caplog):
    lay(tmp_path, "train/0/a.bin", "test/0/b.bin", stray)
    with caplog.at_level(logging.WARNING):
        found = find_recordings(tmp_path, "class_folders")
    assert [(r.label, r.split) for r in found] == [("0", "test"), ("0", "train")]
    assert ("docs" in caplog.text) == stray.startswith("docs")


@pytest.mark.parametrize(
    ("files", "rule"),
    [
        (["train/a.bin", "car/b.bin"], "'train' is named like a split but holds files"),
        (["Test/a.bin"], "'Test' is named like a split but holds files"),
        (["train/0/a.bin", "extra/0/b.bin"], "'extra' beside them holds folders too"),
        (["N-MNIST/Train/0/a.bin", "N-MNIST/Test/0/b.bin"], "the splits 'Test', 'Train' lie in 'N-MNIST'; point"),
        (["dev/a.bin", "eval/b.bin"], "'dev' is named like a split but holds files"),
        (["train/test/a.bin"], "the class 'test' is named like a split"),
    ],
)
def test_a_name_that_could_be_a_split_or_a_label_stops(tmp_path, files, rule):
    lay(tmp_path, *files)
    with pytest.raises(ConfigError, match=rule):
        find_recordings(tmp_path, "class_folders")


def test_a_word_of_a_split_in_one_class_of_several_is_no_split(tmp_path):
    lay(tmp_path, "test_tube/a.bin", "bottle/b.bin", "train station/c.bin")
    assert {r.label for r in find_recordings(tmp_path, "class_folders")} == {"test_tube", "bottle", "train station"}


@pytest.mark.skipif(os.geteuid() == 0 and not hasattr(os, "seteuid"), reason="needs a user whom permissions bind")
@pytest.mark.parametrize("layout", ["class_folders", "n_caltech101", "image_folder"])
def test_a_folder_that_may_not_be_listed_is_an_error_and_not_a_lost_class(tmp_path, layout):
    lay(tmp_path, "0/a.bin", "1/b.bin")
    (tmp_path / "1").chmod(0)
    for folder in (tmp_path, *list(tmp_path.parents)[:3]):
        folder.chmod(0o755)
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        with pytest.raises(ConfigError, match=r"/1: the folder cannot be listed \(Permission denied\)"):
            find_recordings(tmp_path, layout)
    finally:
        os.seteuid(before)
        (tmp_path / "1").chmod(0o755)
