import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from spikinghash.data.store import SampleStore
from spikinghash.errors import ConfigError
from spikinghash.events import nmnist
from spikinghash.events.validate import validate
from spikinghash.frames.framing import Framing
from spikinghash.ingest.recordings import ingest

DATA = Path(__file__).parents[3] / "../shared/data"


def recording(seed, count=300, side=34):
    rng = np.random.default_rng(seed)
    t = np.sort(rng.integers(0, 300_000, size=count))
    x, y, p = rng.integers(0, side, count), rng.integers(0, side, count), rng.integers(0, 2, count)
    return nmnist.to_bytes(validate(t, x, y, p, sensor=(side, side), format="test"))


def folder_set(root, count=10):
    for i in range(count):
        path = root / "ab"[i % 2] / f"{i}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(recording(i))
    return root


def run(root, out, **options):
    shape = {"steps": 4} | {key: options.pop(key) for key in tuple(options) if key in Framing.__dataclass_fields__}
    return ingest(
        root, "class_folders", out, Framing(**shape), **({"test_fraction": 0.4, "val_fraction": 0.2} | options)
    )


def test_small_set(tmp_path):
    calls = []
    report = run(
        folder_set(tmp_path / "raw"), tmp_path / "out", progress=lambda done, total: calls.append((done, total))
    )
    store = SampleStore.open(tmp_path / "out")
    counts, rows = store.load(None, "events")
    assert calls == [(i, 10) for i in range(1, 11)]
    assert counts.shape == (10, 4, 2, 34, 34)
    assert store.spec.fields == {"events": report.field}
    assert store.classes == ["a", "b"]
    assert [row.origin for row in rows] == sorted(row.origin for row in rows)
    first = rows[0].accounts["events"]
    assert rows[0].sample_id == rows[0].group == f"{rows[0].origin}@{first.start_us}-{first.end_us}"
    for row, clip in zip(rows, counts, strict=True):
        content = (tmp_path / "raw" / row.origin).read_bytes()
        assert row.sha256 == hashlib.sha256(content).hexdigest()
        account = row.accounts["events"]
        assert account.events_in == len(content) // 5 == clip.sum() + sum(account.dropped.values())
    assert dict(report.ledger.splits) == {"train": 4, "val": 2, "test": 4}
    lists = json.loads((tmp_path / "out/splits.json").read_text())["splits"]
    assert sorted(name for ids in lists.values() for name in ids) == [row.sample_id for row in rows]
    assert lists["test"] == [row.sample_id for row in store.rows("test")]


def test_bad_files_are_entered_and_the_rest_goes_on(tmp_path):
    raw = folder_set(tmp_path / "raw")
    cut = recording(1)[:-2]
    (raw / "a/cut.bin").write_bytes(cut)
    (raw / "a/empty.bin").write_bytes(b"")
    (raw / "b/photo.bin").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(92))
    (raw / "b/link.bin").symlink_to(raw / "a/0.bin")
    wild = bytearray(recording(2, count=2000))
    wild[0] = 99
    (raw / "b/wild.bin").write_bytes(wild)
    report = run(raw, tmp_path / "out")
    ledger = json.loads((tmp_path / "out/ledger.json").read_text())
    assert ledger["found"] == 15 == ledger["clips"] + len(ledger["refused"])
    assert ledger["reasons"] == {"truncated": 1, "empty": 1, "unknown-format": 1, "not-regular": 1}
    refused = {row["path"]: row for row in ledger["refused"]}
    assert refused["a/cut.bin"]["offset"] == len(cut) // 5 * 5
    assert refused["a/cut.bin"]["sha256"] == hashlib.sha256(cut).hexdigest()
    assert refused["b/link.bin"]["sha256"] is None
    assert ledger["dropped"]["coordinate"] == 1
    assert ledger["events_in"] == 10 * 300 + 2000 == ledger["framed"] + sum(ledger["dropped"].values())
    assert report.ledger.to_json() == ledger


def test_same_input_same_bytes(tmp_path):
    raw = folder_set(tmp_path / "raw")
    for name in "ab":
        run(raw, tmp_path / name)
    files = [{path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in "ab"]
    assert files[0] == files[1]
    assert set(files[0]) == {"samples.parquet", "splits.json", "ledger.json"}


def test_sensor_is_given_stated_or_that_of_the_first_good_file(tmp_path):
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "0.bin").write_bytes(b"")
    (raw / "1.bin").write_bytes(recording(0, side=60))
    table = raw / "labels.csv"
    table.write_text("file,label\n0.bin,a\n1.bin,a\n")

    def size(**options):
        return ingest(raw, "labels_csv", tmp_path / "out", Framing(2), **options).field.shape[:1:-1]

    assert size() == (60, 60)
    assert size(sensor=(64, 62)) == (64, 62)
    table.write_text("file,label,width,height\n0.bin,a,,\n1.bin,a,70,71\n")
    assert size() == (70, 71)
    table.write_text("file,label,width,height\n0.bin,a,71,70\n1.bin,a,70,71\n")
    with pytest.raises(ConfigError, match="different sizes"):
        size()
    table.write_text("file,label,width,height\n1.bin,a,0,-4\n")
    with pytest.raises(ConfigError, match="0x-4"):
        size()


def test_nothing_to_frame(tmp_path):
    raw = tmp_path / "raw"
    (raw / "a").mkdir(parents=True)
    with pytest.raises(ConfigError, match="no recordings"):
        run(raw, tmp_path / "out")
    (raw / "a/1.bin").write_bytes(b"")
    with pytest.raises(ConfigError, match=r"all 1 files .* a/1.bin: empty"):
        run(raw, tmp_path / "out")
    assert json.loads((tmp_path / "out/ledger.json").read_text())["reasons"] == {"empty": 1}
    assert not (tmp_path / "out/samples.parquet").exists()


@pytest.mark.parametrize("options", [{"steps": 0}, {"dtype": "float32"}, {"test_fraction": 1.5}, {"format": "avi"}])
def test_wrong_arguments(tmp_path, options):
    with pytest.raises(ConfigError):
        run(folder_set(tmp_path / "raw", 2), tmp_path / "out", **options)


@pytest.mark.skipif(not DATA.is_dir(), reason="no shared data here")
def test_real_data_set(tmp_path):
    report = ingest(DATA / "events/nmnist_small", "labels_csv", tmp_path, Framing(8))
    assert report.ledger.clips == 1000
    assert report.ledger.events_in == report.ledger.framed + sum(report.ledger.dropped.values())
    counts, rows = SampleStore.open(tmp_path).load("test", "events")
    assert len(rows) == 199
    assert counts.sum(dtype=np.int64) == sum(row.accounts["events"].events_framed for row in rows)


def test_links_into_a_cache_are_recordings_and_other_links_are_not(tmp_path):
    """As DVC lays out a data set with cache.type symlink."""
    raw = folder_set(tmp_path / "raw")
    plain = run(raw, tmp_path / "plain")
    for number, path in enumerate(sorted(raw.rglob("*.bin"))):
        kept = tmp_path / "cache" / str(number)
        kept.parent.mkdir(exist_ok=True)
        path.rename(kept)
        path.symlink_to(kept)
    linked = run(raw, tmp_path / "linked")
    assert linked.ledger.to_json() == plain.ledger.to_json()
    (raw / "b/again.bin").symlink_to(tmp_path / "raw/a/0.bin")
    (raw / "b/gone.bin").symlink_to(tmp_path / "gone")
    (raw / "b/device.bin").symlink_to("/dev/zero")
    refused = {row.path: row.reason for row in run(raw, tmp_path / "more").ledger.refused}
    wrong = {"b/again.bin": "not-regular", "b/gone.bin": "unreadable", "b/device.bin": "not-regular"}
    assert refused == wrong
