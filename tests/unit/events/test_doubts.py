"""Times in another unit than they are read in do not pass without a word, and every unit can be named."""

import json

import h5py
import numpy as np
import pytest

from spikinghash.events.collect import collect
from spikinghash.events.doubts import Doubts, doubtful_times
from spikinghash.events.options import ReadOptions
from spikinghash.events.problems import problems
from spikinghash.events.reader import decode, read_recording
from spikinghash.events.source import open_source
from spikinghash.frames.framing import Framing
from spikinghash.ingest.recordings import ingest

N = 3000
T_US = np.sort(np.random.default_rng(8).integers(0, 90_000, N)).astype(np.int64)
X = np.arange(N, dtype=np.uint16) % 34
UNITS = {"ns": T_US * 1000, "us": T_US, "ms": T_US / 1000.0, "s": T_US / 1e6}


def write(path, t):
    columns = {"t": t, "x": X, "y": X, "p": (X % 2).astype(np.uint8)}
    if path.suffix == ".npz":
        np.savez(path, **columns)
    elif path.suffix == ".csv":
        lines = [",".join(str(v) for v in row) for row in zip(*(c.tolist() for c in columns.values()), strict=True)]
        path.write_text("t,x,y,p\n" + "\n".join(lines))
    else:
        with h5py.File(path, "w") as file:
            for name, values in columns.items():
                file[f"events/{name}"] = values
    return path


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("suffix", [".npz", ".h5", ".csv"])
def test_every_unit_that_is_named_gives_the_same_times(tmp_path, unit, suffix):
    events = read_recording(write(tmp_path / f"a{suffix}", UNITS[unit]), options=ReadOptions(time_unit=unit))
    assert np.array_equal(events.t, T_US)
    assert problems(events) == problems(read_recording(write(tmp_path / "b.npz", T_US)))


def test_nanoseconds_read_as_microseconds_are_told(tmp_path):
    found = problems(read_recording(write(tmp_path / "a.npz", UNITS["ns"])))
    assert any("times may be in ns" in line and "--time-unit" in line for line in found)


def test_times_since_1970_are_told(tmp_path):
    events = read_recording(write(tmp_path / "a.npz", T_US + 1_700_000_000_000_000))
    assert any("counted from 1970" in line for line in doubtful_times(events.facts))


def test_a_plausible_recording_gives_no_doubt(tmp_path):
    assert doubtful_times(read_recording(write(tmp_path / "a.npz", T_US)).facts) == []


def test_several_recordings_give_one_line(tmp_path):
    doubts = Doubts()
    read = doubts.watch(decode)
    for name, unit in (("a.npz", "us"), ("b.npz", "ns"), ("c.npz", "ns")):
        collect(read(open_source(write(tmp_path / name, UNITS[unit]))).blocks())
    assert doubts.count == 2
    assert doubts.line().endswith("(1 more)")


def test_ingest_takes_the_unit_and_counts_what_is_doubtful(tmp_path):
    for i in range(6):
        (tmp_path / "set" / str(i % 2)).mkdir(parents=True, exist_ok=True)
        write(tmp_path / "set" / str(i % 2) / f"{i}.npz", UNITS["ns"])
    for reading, doubtful in ((ReadOptions(), 7), (ReadOptions(time_unit="ns"), 0)):
        out = tmp_path / f"frames-{doubtful}"
        ingest(tmp_path / "set", "class_folders", out, Framing(steps=4), reading=reading)
        said = json.loads((out / "ledger.json").read_text())["doubtful_times"]
        assert (said > 0) == (doubtful > 0)


def test_nanoseconds_of_a_busy_camera_are_told_too(tmp_path):
    t = np.sort(np.random.default_rng(1).integers(0, 300_000, 300_000)) * 1000
    columns = {"x": np.zeros(len(t), np.uint16), "y": np.zeros(len(t), np.uint16), "p": np.zeros(len(t), np.uint8)}
    np.savez(tmp_path / "a.npz", t=t, **columns)
    assert any("multiples of 1000" in line for line in doubtful_times(read_recording(tmp_path / "a.npz").facts))


def test_milliseconds_read_as_microseconds_are_told(tmp_path):
    found = doubtful_times(read_recording(write(tmp_path / "a.npz", T_US // 1000)).facts)
    assert any("may be in ms" in line for line in found)
