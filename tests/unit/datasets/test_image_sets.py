"""Layouts of pictures as they are found on disks: names of classes, splits, and what each refuses."""

import pickle
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from image_files import cifar10, cifar100, encoded, huge_png, image_folder, image_parquet, picture, put, tiny_imagenet

from spikinghash.data.store import SampleStore
from spikinghash.datasets.layouts import find_recordings
from spikinghash.errors import ConfigError
from spikinghash.ingest.pictures import ingest_pictures
from spikinghash.schema import REASONS

DATA = Path(__file__).parents[3] / "../shared/data/images"


def found(root, layout):
    return [(r.recording_id, r.label, r.split) for r in find_recordings(root, layout)]


def run(root, layout, out, **options):
    ledger = ingest_pictures(root, layout, out, **options).ledger
    assert ledger.found == ledger.accepted + sum(refused.recordings for refused in ledger.refused)
    assert ledger.accepted == ledger.clips == len(SampleStore.open(out).rows(None))
    assert set(ledger.reasons) <= REASONS
    return ledger


def test_class_folders_with_splits(tmp_path):
    for name in ("train/b/1.png", "train/a/2.png", "valid/a/3.png", "test/b/deep/4.png"):
        put(tmp_path / name, encoded(picture(1)))
    assert found(tmp_path, "image_folder") == [
        ("test/b/deep/4.png", "b", "test"),
        ("train/a/2.png", "a", "train"),
        ("train/b/1.png", "b", "train"),
        ("valid/a/3.png", "a", "val"),
    ]


def test_bad_pictures_are_refused_one_by_one(tmp_path):
    raw = tmp_path / "raw"
    image_folder(raw, 12)
    photo = encoded(picture(0), "JPEG")
    put(raw / "blob/cut.jpg", photo[: len(photo) // 2])
    put(raw / "blob/bomb.png", huge_png())
    put(raw / "blob/empty.png", b"")
    put(raw / "stripes/Thumbs.db", b"\xd0\xcf\x11\xe0")
    put(raw / "stripes/large.png", encoded(picture(1, 40)))
    (raw / "stripes/link.png").symlink_to(raw / "blob/000.jpeg")
    ledger = run(raw, "image_folder", tmp_path / "out")
    assert ledger.accepted == 12
    assert {refused.path: refused.reason for refused in ledger.refused} == {
        "blob/cut.jpg": "truncated",
        "blob/bomb.png": "expansion",
        "blob/empty.png": "empty",
        "stripes/Thumbs.db": "unknown-format",
        "stripes/large.png": "sensor",
        "stripes/link.png": "not-regular",
    }
    assert run(raw, "image_folder", tmp_path / "resized", size=(32, 32)).reasons.get("sensor") is None


def test_nothing_but_bad_pictures(tmp_path):
    put(tmp_path / "raw/a/1.png", b"?")
    with pytest.raises(ConfigError, match=r"all 1 files .* refused, the first a/1.png: unknown-format"):
        ingest_pictures(tmp_path / "raw", "image_folder", tmp_path / "out")
    assert not (tmp_path / "out/samples.parquet").exists()


def test_cifar_10(tmp_path):
    cifar10(tmp_path, 3)
    assert found(tmp_path, "cifar")[2:5] == [
        ("cifar-10-batches-bin/data_batch_1.bin#00002", "airplane", "train"),
        ("cifar-10-batches-bin/data_batch_2.bin#00000", "airplane", "train"),
        ("cifar-10-batches-bin/data_batch_2.bin#00001", "automobile", "train"),
    ]
    assert found(tmp_path / "cifar-10-batches-bin", "cifar")[-1] == ("test_batch.bin#00002", "airplane", "test")


def test_cifar_100_has_its_fine_classes(tmp_path):
    cifar100(tmp_path, 2)
    assert found(tmp_path, "cifar") == [
        ("cifar-100-binary/test.bin#00000", "class_40", "test"),
        ("cifar-100-binary/test.bin#00001", "class_41", "test"),
        ("cifar-100-binary/train.bin#00000", "class_40", "train"),
        ("cifar-100-binary/train.bin#00001", "class_41", "train"),
    ]
    run(tmp_path, "cifar", tmp_path / "out")
    frames, _ = SampleStore.open(tmp_path / "out").load(None, "image")
    assert np.array_equal(frames[0], picture(0))


def test_a_cifar_file_of_broken_records_is_refused_as_a_whole(tmp_path):
    cifar10(tmp_path / "raw", 6)
    batch = tmp_path / "raw/cifar-10-batches-bin/data_batch_2.bin"
    batch.write_bytes(batch.read_bytes()[:-1])
    ledger = run(tmp_path / "raw", "cifar", tmp_path / "out")
    assert ledger.accepted == 12
    (refused,) = ledger.refused
    assert (refused.path, refused.reason) == ("cifar-10-batches-bin/data_batch_2.bin", "truncated")
    assert "3073" in refused.message


def test_a_cifar_label_out_of_range_costs_one_picture(tmp_path):
    cifar10(tmp_path / "raw", 6)
    batch = tmp_path / "raw/cifar-10-batches-bin/data_batch_1.bin"
    content = bytearray(batch.read_bytes())
    content[3073] = 200
    batch.write_bytes(content)
    ledger = run(tmp_path / "raw", "cifar", tmp_path / "out")
    assert ledger.accepted == 17
    assert [(r.path, r.reason) for r in ledger.refused] == [("cifar-10-batches-bin/data_batch_1.bin#00001", "label")]


class Trap:
    """Unpickled, it would leave a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("folder", ["cifar-10-batches-py", "."])
def test_the_python_version_of_cifar_is_refused_unopened(tmp_path, folder):
    sprung = tmp_path / "sprung"
    for name in ("data_batch_1", "batches.meta"):
        put(tmp_path / "raw" / folder / name, pickle.dumps(Trap(sprung)))
    with pytest.raises(ConfigError, match=r"python version.* never opened.*cifar-10-binary\.tar\.gz"):
        find_recordings(tmp_path / "raw", "cifar")
    assert not sprung.exists()


def test_cifar_folders_that_leave_a_doubt(tmp_path):
    cifar10(tmp_path, 2)
    names = tmp_path / "cifar-10-batches-bin/batches.meta.txt"
    names.write_text("a\nb\n")
    with pytest.raises(ConfigError, match="10 different names"):
        find_recordings(tmp_path, "cifar")
    cifar100(tmp_path, 2)
    with pytest.raises(ConfigError, match="more than once"):
        find_recordings(tmp_path, "cifar")


def test_tiny_imagenet_queries_with_its_validation_pictures(tmp_path):
    tiny_imagenet(tmp_path / "tiny-imagenet-200", 2)
    assert found(tmp_path, "tiny_imagenet") == [
        ("tiny-imagenet-200/train/n01443537/images/n01443537_0.JPEG", "n01443537", "train"),
        ("tiny-imagenet-200/train/n01629819/images/n01629819_1.JPEG", "n01629819", "train"),
        ("tiny-imagenet-200/val/images/val_0.JPEG", "n01443537", "test"),
        ("tiny-imagenet-200/val/images/val_1.JPEG", "n01629819", "test"),
    ]
    put(tmp_path / "tiny-imagenet-200/val/images/val_9.JPEG", b"")
    with pytest.raises(ConfigError, match=r"val_annotations\.txt: says nothing of val_9\.JPEG"):
        find_recordings(tmp_path, "tiny_imagenet")
    (tmp_path / "tiny-imagenet-200/val/val_annotations.txt").unlink()
    with pytest.raises(ConfigError, match=r"cannot read .*val_annotations\.txt"):
        find_recordings(tmp_path, "tiny_imagenet")


def test_the_size_that_a_data_set_states_is_asked_for(tmp_path):
    tiny_imagenet(tmp_path / "raw", 6)
    put(tmp_path / "raw/train/n01443537/images/a.JPEG", encoded(picture(3, 40), "JPEG"))
    ledger = run(tmp_path / "raw", "tiny_imagenet", tmp_path / "out")
    assert [(r.path, r.reason) for r in ledger.refused] == [("train/n01443537/images/a.JPEG", "sensor")]
    assert ledger.accepted == 12


def parquet(path, **columns):
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)


def test_parquet_of_the_hub(tmp_path):
    image_parquet(tmp_path, 2)
    assert found(tmp_path, "image_parquet") == [
        ("data/test-00000-of-00001.parquet#00000000", "blob", "test"),
        ("data/test-00000-of-00001.parquet#00000001", "stripes", "test"),
        ("data/train-00000-of-00001.parquet#00000000", "blob", "train"),
        ("data/train-00000-of-00001.parquet#00000001", "stripes", "train"),
    ]


def test_labels_and_splits_of_plain_parquet(tmp_path):
    shots = [encoded(picture(i)) for i in range(4)]
    parquet(tmp_path / "a.parquet", image=shots, label=[0, 1, -1, None], split=["train", "validation", "test", "all"])
    parquet(tmp_path / "b.parquet", image=shots, label=[0, 1, 1, 0], class_name=["x", "y", "y", "x"])
    parquet(tmp_path / "c.parquet", image=shots, label=[0, 1, 2, 0], class_name=["x", "y", "y", "x"])
    parquet(tmp_path / "d.parquet", image=shots, label=["p", "q", "p", None])
    pairs = [(label, split) for _, label, split in found(tmp_path, "image_parquet")]
    assert pairs[:4] == [("0", "train"), ("1", "val"), (None, "test"), (None, None)]
    assert [label for label, _ in pairs[4:]] == ["x", "y", "y", "x", "0", "1", "2", "0", "p", "q", "p", None]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"image": [b"x"]}, "no column of labels; it has image, needed is label"),
        ({"label": [1]}, "no column of pictures; it has label"),
        ({"image": [3], "label": [1]}, "its column image is int64, not bytes"),
        ({"image": [b"x"], "label": [[1, 2]]}, "labels are text or whole numbers"),
        ({"image": [b"x"], "label": [0.5]}, "labels are text or whole numbers"),
        ({"image": [b"x"], "label": [1], "split": ["trian"]}, "unknown split 'trian'"),
    ],
)
def test_parquet_without_what_is_needed(tmp_path, columns, message):
    parquet(tmp_path / "x.parquet", **columns)
    with pytest.raises(ConfigError, match=message) as caught:
        find_recordings(tmp_path, "image_parquet")
    assert str(tmp_path / "x.parquet") in str(caught.value)


def test_rows_without_a_good_picture_cost_themselves(tmp_path):
    shots = [{"bytes": encoded(picture(i)), "path": None} for i in range(4)]
    shots += [None, {"bytes": None, "path": "elsewhere.png"}, {"bytes": b"text", "path": ""}]
    parquet(tmp_path / "raw/x.parquet", image=shots, label=[0, 1, 0, 1, 0, 1, 0])
    ledger = run(tmp_path / "raw", "image_parquet", tmp_path / "out")
    assert ledger.accepted == 4
    assert [(r.path, r.reason) for r in ledger.refused] == [
        ("x.parquet#00000004", "empty"),
        ("x.parquet#00000005", "empty"),
        ("x.parquet#00000006", "unknown-format"),
    ]


def test_a_damaged_parquet_file_leaves_the_others(tmp_path):
    image_parquet(tmp_path / "raw", 40)
    train = tmp_path / "raw/data/train-00000-of-00001.parquet"
    content = bytearray(train.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 200] = bytes(200)
    put(tmp_path / "raw/data/more.parquet", b"PAR1" + bytes(100))
    train.write_bytes(content)
    ledger = run(tmp_path / "raw", "image_parquet", tmp_path / "out")
    assert ledger.found == 81
    assert ledger.accepted >= 40
    assert {r.path for r in ledger.refused if r.reason == "chunk"} >= {"data/more.parquet"}
    assert ledger.refused[-1].path.startswith("data/train-00000-of-00001.parquet")


@pytest.mark.skipif(not DATA.is_dir(), reason="no shared data here")
@pytest.mark.parametrize(
    ("name", "rows", "classes", "splits"),
    [
        ("cifar10", 55_000, 10, {"train": 47_000, "test": 8_000}),
        ("imagenet32", 43_000, 100, {"train": 40_000, "val": 3_000}),
    ],
)
def test_real_parquet(name, rows, classes, splits):
    recordings = find_recordings(DATA / name, "image_parquet")
    assert len(recordings) == rows
    assert len({r.label for r in recordings}) == classes
    assert {split: sum(r.split == split for r in recordings) for split in splits} == splits


@pytest.mark.skipif(not DATA.is_dir(), reason="no shared data here")
def test_real_pictures(tmp_path):
    table = pq.read_table(DATA / "cifar10/cifar10.parquet").slice(7_900, 300)
    (tmp_path / "raw").mkdir()
    pq.write_table(table, tmp_path / "raw/some.parquet")
    ledger = run(tmp_path / "raw", "image_parquet", tmp_path / "out")
    assert ledger.accepted == 300
    assert ledger.splits["test"] == 100
    store = SampleStore.open(tmp_path / "out")
    assert store.spec.fields["image"].shape == (3, 32, 32)
    assert store.classes == sorted(set(table["class_name"].to_pylist()))
