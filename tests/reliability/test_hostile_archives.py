"""An archive whose index makes the reading library fail, recurse, hang or grow is one refusal; the batch goes on."""

import os
import signal
import time
import zipfile
from pathlib import Path

import hostile
import hostile_archives
import pytest

from spikinghash.codes.inputs import open_inputs
from spikinghash.errors import BadRecording
from spikinghash.events import archive
from spikinghash.events.archive import Cost, open_archive
from spikinghash.events.source import Source
from spikinghash.schema import REASONS

CLIP = hostile.good()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("archives")
    for name, (data, _) in hostile_archives.archives(CLIP).items():
        (root / name).write_bytes(data)
    return root


@pytest.mark.parametrize(
    "names",
    [
        ["utf8-local.zip", "utf8-central.zip"],
        ["long-names.tar", "pax-headers.tar"],
        ["sparse-map.tar", "sparse-1.0.tar", "sparse-size.tar", "sparse-offset.tar"],
        ["size-base256-0.tar", "size-base256-x.tar", "size-2-60-0.tar", "size-negative-0.tar"],
        ["zip64.zip", "overlap.zip", "lzma.zip", "zeros.tar.xz"],
    ],
    ids=lambda names: names[0],
)
def test_each_costs_one_refusal_with_a_reason_in_little_time(folder, names):
    cases = hostile_archives.archives(CLIP)
    started = time.monotonic()
    found = list(open_inputs(folder / name for name in names))
    assert [Path(item.path).name for item in found] == names
    for name, item in zip(names, found, strict=True):
        assert isinstance(item.source, BadRecording), name
        assert item.source.reason in cases[name][1] & REASONS, name
        assert item.source.message.isprintable()
    assert time.monotonic() - started < 5 * len(names)


def test_an_archive_that_hangs_its_reader_is_refused_in_time(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "WORKER", ("/bin/sleep",))
    (tmp_path / "a.zip").write_bytes(hostile_archives.zipped(("a", CLIP)))
    monkeypatch.setattr(archive.json, "dumps", lambda _: "600")
    with pytest.raises(BadRecording) as caught:
        open_archive(tmp_path / "a.zip", cost=Cost(seconds=0.5))
    assert caught.value.reason == "timeout"


def test_a_reader_that_the_system_kills_is_started_again_and_nothing_comes_twice(tmp_path):
    path = tmp_path / "night.zip"
    # more than a pipe holds, so that the reader is not done before it is killed
    contents = {f"{i}.bin": os.urandom(300_000) for i in range(6)}
    path.write_bytes(hostile_archives.zipped(*contents.items()))
    reading = open_archive(path)
    found = []
    for member in reading:
        found.append(member)
        if len(found) == 2:
            os.kill(reading.child.pid, signal.SIGKILL)
            reading.child.wait()
    assert [str(m.path) for m in found] == [f"{path}!{name}" for name in contents]
    assert [m.data for m in found] == list(contents.values())


def test_a_member_too_large_for_this_machine_is_refused_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "reading_bytes", lambda: 30_000)
    path = tmp_path / "night.zip"
    path.write_bytes(hostile_archives.zipped(("large", bytes(10_001)), ("good", CLIP)))
    large, good = open_inputs([path])
    assert (large.source.reason, large.archive, large.path) == ("memory", str(path), f"{path}!large")
    assert good.source.data == CLIP


def test_an_archive_that_is_written_to_meanwhile_is_refused_as_changed(tmp_path):
    path = tmp_path / "night.zip"
    path.write_bytes(hostile_archives.zipped(("a", CLIP), ("b", hostile.good(seed=1))))
    items = open_inputs([path])
    assert isinstance(next(items).source, Source)
    with path.open("ab") as stream:
        stream.write(b"more")
    assert [item.source.reason for item in items if isinstance(item.source, BadRecording)] == ["changed"]


@pytest.mark.parametrize("start", [b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b\x08", b"PK\x01\x02"])
def test_a_recording_that_begins_like_an_archive_is_a_recording(tmp_path, start):
    """An archive is a file with an archive's index; a recording without a header begins with any bytes."""
    from spikinghash.events.reader import read_recording

    path = tmp_path / "clip.bin"
    data = start + b"\xff"[: 5 - len(start)] * (5 - len(start))
    t0 = int.from_bytes(data[2:5], "big") & 0x7FFFFF
    data += b"".join(bytes([i % 200, i % 180]) + (t0 + 9 * i).to_bytes(3, "big") for i in range(1, 300))
    path.write_bytes(data)
    (item,) = open_inputs([path])
    assert item.source.data == data
    assert read_recording(path).count == 300


def test_a_zip_of_arrays_is_one_recording_only_where_they_are_its_columns(tmp_path):
    import io

    import numpy as np
    from event_writers import npy

    def array(data):
        out = io.BytesIO()
        np.save(out, data)
        return out.getvalue()

    table = npy(*hostile.columns())
    columns = [(f"{name}.npy", array(column)) for name, column in zip("txyp", hostile.columns(), strict=True)]
    for name, members, expected in (
        ("folders", [(f"rec/user{i}.npy", table) for i in range(5)], 5),
        ("flat", [(f"user{i}.npy", table) for i in range(5)], 5),
        ("one", [("rec/user.npy", table)], 1),
        ("columns", columns, 0),
        ("single", [("arr_0.npy", table)], 0),
    ):
        path = tmp_path / f"{name}.zip"
        path.write_bytes(hostile_archives.zipped(*members, method=zipfile.ZIP_STORED))
        inputs = list(open_inputs([path]))
        assert (len(inputs), sum(item.archive is not None for item in inputs)) == (expected or 1, expected), name
