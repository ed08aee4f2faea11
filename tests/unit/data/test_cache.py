"""The cache of a sample store: what goes in comes out, whoever makes it, whatever becomes of it."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
from small_store import LABELS, picture_store, small_store

from spikinghash.data.cache_header import HEADER
from spikinghash.data.cache_room import KEPT_S
from spikinghash.data.open_cache import open_cache
from spikinghash.data.store import SampleStore
from spikinghash.errors import BadStore, Temporary
from spikinghash.schema import SPLITS


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return SampleStore.open(small_store(tmp_path_factory.mktemp("store")))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "cache").mkdir()
    return tmp_path / "cache"


def is_whole(cache, store):
    """Whether all inputs and labels are those of the store."""
    for split in SPLITS:
        found = cache.splits[split]
        for name, samples in found.inputs.items():
            values, rows = store.load(split, name)
            backward = np.arange(len(rows))[::-1]
            labels = [tuple(cache.classes[n] for n in found.labels[place]) for place in range(len(found))]
            if labels != [row.labels for row in rows] or not (samples.read(backward) == values[backward]).all():
                return False
    return True


def clips_of(cache, split="train"):
    return cache.splits[split].inputs["events"]


@pytest.mark.parametrize("kind", ["parquet", "hdf5"])
@pytest.mark.parametrize(
    ("name", "dtype"), [*(("events", t) for t in ("uint8", "uint16", "float32")), ("image", "uint8")]
)
def test_round_trip(tmp_path, folder, kind, name, dtype):
    labels = ("b", None, "a")
    if name == "image":
        store = SampleStore.open(picture_store(tmp_path / "s", 20, kind, labels=labels))
    else:
        store = SampleStore.open(small_store(tmp_path / "s", 20, kind, dtype, labels=labels))
    cache = open_cache(store.path, store.digest, folder)
    assert cache.classes == ("a", "b")
    assert is_whole(cache, store)
    # NumPy reads the files without us
    mapped = np.load(cache.folder / f"train-{name}.npy", mmap_mode="r")
    assert mapped.dtype == dtype
    assert (mapped == store.load("train", name)[0]).all()


def test_a_store_is_copied_once_and_then_not_needed(store, folder, tmp_path):
    copy = shutil.copy2(store.path, tmp_path)
    told = []
    first = open_cache(Path(copy), store.digest, folder, lambda done, total: told.append((done, total)))
    assert told[-1] == (40, 40)
    made = first.folder.stat().st_ino
    Path(copy).unlink()
    again = open_cache(Path(copy), store.digest, folder, lambda done, total: pytest.fail("made again"))
    assert again.folder.stat().st_ino == made
    assert is_whole(again, store)


def test_no_clips_in_a_split(tmp_path, folder):
    store = SampleStore.open(small_store(tmp_path / "s", 2))
    cache = open_cache(store.path, store.digest, folder)
    assert {split: len(some) for split, some in cache.splits.items()} == {
        "train": 2,
        "val": 0,
        "test": 0,
        "database": 0,
    }


def flip(path):
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize("damage", [flip, cut, Path.unlink, lambda path: path.write_bytes(b"")])
@pytest.mark.parametrize(
    "name", [HEADER, "train.labels.npy", "train.groups.npy", "val.label_ends.npy", "val-events.crc32.npy"]
)
def test_damage_is_found_when_it_is_opened_and_mended(store, folder, damage, name):
    place = open_cache(store.path, store.digest, folder).folder
    damage(place / name)
    assert is_whole(open_cache(store.path, store.digest, folder), store)
    assert sorted(path.name for path in folder.iterdir()) == [".samples.lock", place.name]


@pytest.mark.parametrize("damage", [cut, Path.unlink])
def test_clips_that_are_missing_are_found_when_it_is_opened(store, folder, damage):
    damage(open_cache(store.path, store.digest, folder).folder / "train-events.npy")
    assert is_whole(open_cache(store.path, store.digest, folder), store)


def test_a_changed_clip_is_refused_when_it_is_read_and_mended_after_that(store, folder):
    cache = open_cache(store.path, store.digest, folder)
    flip(cache.folder / "train-events.npy")
    clips = clips_of(cache)
    clips.read(range(len(clips) - 1))
    with pytest.raises(BadStore, match=r"train-events\.npy: sample \d+ is not as it was written; run again") as caught:
        clips.read([len(clips) - 1])
    assert "\n" not in str(caught.value)
    assert is_whole(open_cache(store.path, store.digest, folder), store)


def test_a_cache_that_is_removed_stays_readable_for_whom_it_is_open(store, folder):
    cache = open_cache(store.path, store.digest, folder)
    shutil.rmtree(cache.folder)
    assert is_whole(cache, store)


def test_rows_that_are_not_there(store, folder):
    clips = clips_of(open_cache(store.path, store.digest, folder))
    for row in (-1, len(clips)):
        with pytest.raises(IndexError):
            clips.read([row])


def test_a_store_that_is_another_one_by_now(store, folder):
    with pytest.raises(BadStore, match="changed while it was being used"):
        open_cache(store.path, "0" * 64, folder)
    assert [path.name for path in folder.iterdir()] == [".samples.lock"]


def test_a_damaged_store_leaves_nothing(store, folder, tmp_path):
    path = tmp_path / "samples.parquet"
    data = bytearray(store.path.read_bytes())
    data[len(data) // 2] ^= 255
    path.write_bytes(data)
    with pytest.raises(BadStore):
        open_cache(path, SampleStore.open(path).digest, folder)
    assert [path.name for path in folder.iterdir()] == [".samples.lock"]


Usage = namedtuple("Usage", "total used free")


def test_too_little_room_is_told_before_anything_is_written(store, folder, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10, 9, 1_000_000))
    with pytest.raises(Temporary, match=r"needs 0.00 GB for its cache there, and 0.00 GB are free") as caught:
        open_cache(store.path, store.digest, folder)
    assert "\n" not in str(caught.value)
    assert "data.cache" in str(caught.value)
    assert [path.name for path in folder.iterdir()] == [".samples.lock"]


def other_cache(folder, number, age_s, size=0, prefix="samples"):
    place = folder / f"{prefix}-{number:016x}"
    place.mkdir()
    (place / "train-events.npy").write_bytes(bytes(size))
    os.utime(place, (time.time() - age_s,) * 2)
    return place


def test_caches_that_nobody_opens_are_removed(store, folder):
    old, young = other_cache(folder, 1, KEPT_S + 60, prefix="frames"), other_cache(folder, 2, KEPT_S - 60)
    foreign = folder / "samples-x"
    foreign.mkdir()
    os.utime(foreign, (0, 0))
    open_cache(store.path, store.digest, folder)
    assert (old.exists(), young.exists(), foreign.exists()) == (False, True, True)
    os.utime(young, (0, 0))
    open_cache(store.path, store.digest, folder)
    assert not young.exists()


def test_where_room_is_short_the_longest_unused_cache_goes_first(store, folder, monkeypatch):
    old, young = other_cache(folder, 1, 200, 200_000_000), other_cache(folder, 2, 100, 200_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10, 9, 1_000_000 + 200_000_000 * (not old.exists())))
    assert is_whole(open_cache(store.path, store.digest, folder), store)
    assert (old.exists(), young.exists()) == (False, True)


def test_where_no_room_can_be_made_nothing_is_removed(store, folder, monkeypatch):
    other = other_cache(folder, 1, 200, 1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10, 9, 1_000_000))
    with pytest.raises(Temporary):
        open_cache(store.path, store.digest, folder)
    assert other.exists()


PROGRAM = """
import os, signal, sys, time
from pathlib import Path
from spikinghash.data.open_cache import open_cache

kill_at = int(sys.argv[4])

def watch(done, total):
    if kill_at and done >= kill_at:
        os.kill(os.getpid(), signal.SIGKILL)

cache = open_cache(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), watch)
print(len(cache.splits["train"]))
"""


def start(store, folder, kill_at=0):
    command = [sys.executable, "-c", PROGRAM, str(store.path), store.digest, str(folder), str(kill_at)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_kill_while_it_is_made_leaves_nothing_that_stays(store, folder):
    killed = start(store, folder, kill_at=1)
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    # what it left is no cache
    assert [path.name for path in folder.iterdir() if not path.name.startswith(".")] == []
    assert len(list(folder.iterdir())) == 2
    cache = open_cache(store.path, store.digest, folder)
    assert is_whole(cache, store)
    assert sorted(path.name for path in folder.iterdir()) == [".samples.lock", cache.folder.name]


def test_several_processes_make_it_at_once(store, folder):
    processes = [start(store, folder) for _ in range(4)]
    assert {process.communicate()[0].strip() for process in processes} == {str(len(store.rows("train")))}
    assert is_whole(open_cache(store.path, store.digest, folder), store)
    assert len(list(folder.iterdir())) == 2


def test_on_a_file_system_without_locks_the_first_one_counts(store, folder, monkeypatch):
    """While one is made, another process makes it too: both go on with a whole one."""
    import fcntl

    monkeypatch.setattr(fcntl, "flock", lambda *_: None)
    made = []

    def watch(done, total):
        if not made:
            made.append(True)
            place = open_cache(store.path, store.digest, folder / "elsewhere").folder
            place.rename(folder / place.name)

    (folder / "elsewhere").mkdir()
    assert is_whole(open_cache(store.path, store.digest, folder, watch), store)
    assert list(folder.glob(".samples-*")) == []


def test_the_number_of_classes_is_the_models_matter(store, folder):
    assert open_cache(store.path, store.digest, folder).classes == LABELS
