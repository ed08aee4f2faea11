import csv
import os
from pathlib import Path

import pytest

from spikinghash.datasets.layouts import find_recordings
from spikinghash.errors import ConfigError

DATA = Path(__file__).parents[3] / "../shared/data"


def touch(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def table(root, text):
    (root / "labels.csv").write_text(text)


def test_class_folders_with_splits(tmp_path):
    touch(tmp_path, "train/b/2.bin", "train/a/1.bin", "validation/a/3.bin", "test/a/4.bin", "README.md")
    found = find_recordings(tmp_path, "class_folders")
    assert [(r.recording_id, r.label, r.split) for r in found] == [
        ("test/a/4.bin", "a", "test"),
        ("train/a/1.bin", "a", "train"),
        ("train/b/2.bin", "b", "train"),
        ("validation/a/3.bin", "a", "val"),
    ]
    assert {r.label for r in found} == {"a", "b"}
    assert all(recording.path.is_file() for recording in found)


def test_class_folders_without_splits(tmp_path):
    touch(tmp_path, "tram/1.bin", "plane/sub/2.bin", "plane/.hidden", ".git/x/1.bin")
    found = find_recordings(tmp_path, "class_folders")
    assert [(r.recording_id, r.label, r.split) for r in found] == [
        ("plane/sub/2.bin", "plane", None),
        ("tram/1.bin", "tram", None),
    ]


def test_links_are_listed_but_not_followed(tmp_path):
    outside = tmp_path / "outside"
    touch(outside, "secret.bin")
    touch(tmp_path / "set", "a/1.bin")
    (tmp_path / "set/a/link").symlink_to(outside / "secret.bin")
    (tmp_path / "set/a/folder").symlink_to(outside)
    found = [recording.recording_id for recording in find_recordings(tmp_path / "set", "class_folders")]
    assert found == ["a/1.bin", "a/folder", "a/link"]


def test_names_that_are_not_utf8(tmp_path):
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / os.fsdecode(b"caf\xe9.bin")).write_bytes(b"x")
    (recording,) = find_recordings(tmp_path, "class_folders")
    assert recording.recording_id == "a/caf\\xe9.bin"
    assert recording.path.is_file()


def test_labels_csv(tmp_path):
    table(tmp_path, "\ufefffile,label,split,width,height,extra\nb.bin,x,train,34,30,?\n./a//c.bin,,all,,,\n")
    first, second = find_recordings(tmp_path, "labels_csv")
    assert (first.recording_id, first.label, first.split, first.sensor) == ("a/c.bin", None, None, None)
    assert (second.recording_id, second.label, second.split, second.sensor) == ("b.bin", "x", "train", (34, 30))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,split\na,train\n", "no column 'label'"),
        ("", "no column 'file'"),
        ("file,label\na,1\n./a,2\n", "appears twice"),
        ("file,label,split\na,1,trian\n", "line 2: unknown split 'trian'"),
        ("file,label,width,height\na,1,34,\n", "whole numbers"),
        ("file,label\n../a,1\n", "leads out"),
        ("file,label\n/etc/passwd,1\n", "leads out"),
        ("file,label\nlink/a,1\n", "leads out"),
        ("file,label\n,1\n", "no file name"),
        ('file,label\n"a,1\n', "cannot read"),
    ],
)
def test_bad_tables(tmp_path, text, message):
    root = tmp_path / "set"
    root.mkdir()
    (root / "link").symlink_to(tmp_path)
    table(root, text)
    with pytest.raises(ConfigError, match=message):
        find_recordings(root, "labels_csv")


def test_missing_root_table_and_layout(tmp_path):
    with pytest.raises(ConfigError, match="does not exist"):
        find_recordings(tmp_path / "nowhere", "class_folders")
    with pytest.raises(ConfigError, match=r"labels\.csv"):
        find_recordings(tmp_path, "labels_csv")
    with pytest.raises(ConfigError, match="class_folders, labels_csv"):
        find_recordings(tmp_path, "folders")


@pytest.mark.skipif(not DATA.is_dir(), reason="no shared data here")
def test_real_table():
    root = DATA / "events/nmnist_small"
    found = find_recordings(root, "labels_csv")
    with (root / "labels.csv").open(newline="") as file:
        assert sorted(row["file"] for row in csv.DictReader(file)) == [recording.recording_id for recording in found]
    assert {r.label for r in found} == {str(digit) for digit in range(10)}
    assert {recording.sensor for recording in found} == {(34, 34)}
