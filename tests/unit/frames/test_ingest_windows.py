"""From files to several clips each: windows of our own, intervals that a data set lists."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import spikinghash.ingest.recordings as module
from spikinghash.data.open_store import open_store
from spikinghash.errors import ConfigError
from spikinghash.events import nmnist
from spikinghash.events.validate import validate
from spikinghash.frames.framing import Framing
from spikinghash.ingest.recordings import ingest

OBJECTS = Path(__file__).parents[3] / "../shared/data/events/dvs128_objects"
HEADER = "file,label,split,t_start_us,t_end_us\n"


def recording(*times):
    zeros = np.zeros(len(times), dtype=int)
    return nmnist.to_bytes(validate(np.array(times), zeros, zeros, zeros, sensor=(34, 34), format="test"))


def listed(root, rows, **files):
    root.mkdir(exist_ok=True)
    for name, content in files.items():
        (root / f"{name}.bin").write_bytes(content)
    (root / "windows.csv").write_text(HEADER + "".join(f"{row}\n" for row in rows))
    return root


def run(root, out, **options):
    shape = {"steps": 2} | {key: options.pop(key) for key in tuple(options) if key in Framing.__dataclass_fields__}
    report = ingest(root, "labels_csv", out, Framing(**shape), **({"format": "nmnist", "sensor": (34, 34)} | options))
    return report, open_store(out).rows(None), json.loads((out / "ledger.json").read_text())


def test_listed_intervals_of_one_file(tmp_path, monkeypatch):
    opened = []
    real = module.open_source
    monkeypatch.setattr(module, "open_source", lambda path, **how: (opened.append(path), real(path, **how))[1])
    rows = ["a.bin,x,train,0,10", "a.bin,y,test,5,20", "a.bin,x,val,100,200", "b.bin,y,train,0,5"]
    root = listed(tmp_path / "raw", rows, a=recording(0, 7, 12, 30), b=b"")
    _, clips, ledger = run(root, tmp_path / "out")
    assert [(row.sample_id, row.label, row.split, row.accounts["events"].events_in) for row in clips] == [
        ("a.bin@0-9", "x", "train", 2),
        ("a.bin@5-19", "y", "test", 2),
    ]
    assert [path.name for path in opened] == ["a.bin", "b.bin"]
    assert ledger["found"] == 4 == ledger["accepted"] + sum(refusal["recordings"] for refusal in ledger["refused"])
    assert {refusal["path"]: refusal["reason"] for refusal in ledger["refused"]} == {
        "a.bin@100-199": "no-events",
        "b.bin": "empty",
    }
    # four events, one of them in two clips, one in none
    assert (ledger["events_in"], ledger["repeated"], ledger["dropped"]) == (5, 1, {"outside-window": 1})


def test_windows_of_listed_intervals(tmp_path):
    root = listed(tmp_path / "raw", ["a.bin,x,train,2,14"], a=recording(*range(20)))
    _, clips, ledger = run(root, tmp_path / "out", windowing="window", window_us=5)
    assert [row.sample_id for row in clips] == ["a.bin@2-13@2-6", "a.bin@2-13@7-11"]
    assert ledger["dropped"] == {"partial-window": 2, "outside-window": 8}
    assert ledger["events_in"] == 20 == ledger["framed"] + sum(ledger["dropped"].values())


def test_clips_by_count_have_ids_of_their_own(tmp_path):
    root = tmp_path / "raw"
    root.mkdir()
    (root / "a.bin").write_bytes(recording(*[3] * 6, 9))
    (root / "labels.csv").write_text("file,label,split\na.bin,x,train\n")
    _, clips, ledger = run(root, tmp_path / "out", windowing="count", events_per_clip=2, store="hdf5")
    assert [row.sample_id for row in clips] == ["a.bin@3-3#0", "a.bin@3-3#2", "a.bin@3-3#4"]
    assert ledger["dropped"] == {"partial-window": 1}
    assert (tmp_path / "out/samples.h5").is_file()


def test_nothing_but_thin_windows(tmp_path):
    root = listed(tmp_path / "raw", ["a.bin,x,train,0,10"], a=recording(0, 1))
    with pytest.raises(ConfigError, match=r"no clip in 1 good recordings .* 1 as few-events"):
        run(root, tmp_path / "out", min_events=9)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a.bin,x,train,5,5", "empty"),
        ("a.bin,x,train,-1,5", "before 0"),
        ("a.bin,x,train,0.5,5", "whole microseconds"),
        ("a.bin,x,train,,", "whole microseconds"),
        ("a.bin,x,train,0,9\na.bin,y,train,0,9", "appears twice"),
        ("../a.bin,x,train,0,9", "leads out"),
    ],
)
def test_bad_interval_tables(tmp_path, row, message):
    with pytest.raises(ConfigError, match=message):
        run(listed(tmp_path / "raw", [row], a=recording(0)), tmp_path / "out")


@pytest.mark.skipif(not OBJECTS.is_dir(), reason="no shared data here")
def test_our_windows_are_those_listed_for_the_real_recordings(tmp_path):
    """`windows.csv` of the set was made by another program: 100 ms, at least 500 events, whole windows."""
    with (OBJECTS / "windows.csv").open(newline="") as file:
        listed_rows = {(row["file"], int(row["t_start_us"])): int(row["events"]) for row in csv.DictReader(file)}
    copied = tmp_path / "raw"
    shutil.copytree(OBJECTS, copied, ignore=shutil.ignore_patterns("windows.csv"))
    cut = {"windowing": "window", "window_us": 100_000, "min_events": 500}
    for root, options in ((OBJECTS, {}), (copied, cut)):
        report = ingest(root, "labels_csv", tmp_path / "out", Framing(2, downsample=4, **options))
        rows = open_store(tmp_path / "out").rows(None)
        assert {
            (row.origin.split("@")[0], a.start_us): a.events_in for row in rows for a in row.accounts.values()
        } == listed_rows
        assert report.field.shape[2:] == (32, 32)
        assert report.ledger.events_in == report.ledger.framed + sum(report.ledger.dropped.values())
