"""The benchmarks of bulk hashing at scale, tiny: what they count is right, and nothing grows."""

import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

from spikinghash.codes.inputs import Opened
from spikinghash.errors import BadRecording
from spikinghash.events import source as source_module
from spikinghash.events.content import FileContent
from spikinghash.events.reader import read_recording
from spikinghash.events.source import open_source
from spikinghash.frames import held

sys.path.insert(0, str(Path(__file__).parents[3] / "bench"))
import long_recording
import many_files


def test_a_recording_that_is_never_in_memory_is_hashed_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(held, "HELD_EVENTS", 100_000)
    monkeypatch.setattr(source_module, "HELD_BYTES", 100_000)
    found = long_recording.measure(2, tmp_path)
    assert found["ok"], found
    # the last of them would end after the last event
    assert found["clips"] == 39
    events = read_recording(tmp_path / "long.raw")
    assert (events.count, events.t_first_us, events.t_last_us) == (2_000_000, 0, 1_999_980)
    assert np.array_equal(np.unique(events.t), np.arange(0, 2_000_000, 20))


def test_an_archive_of_small_files_is_hashed_whole(tmp_path):
    found = many_files.measure(60, tmp_path)
    assert found["committed"] == 60
    assert len(found["tenths"]) == len(found["tenths_in_processor_time"]) == 10


def test_a_large_file_goes_to_another_process_with_its_content_or_by_its_path(tmp_path, monkeypatch):
    path = tmp_path / "a.bin"
    path.write_bytes(bytes(range(256)) * 40)
    monkeypatch.setattr(source_module, "HELD_BYTES", 100)
    item = Opened(str(path), None, open_source(path))
    assert isinstance(item.source.given, FileContent)
    assert item.to_send().source.given == path.read_bytes()
    monkeypatch.setattr(source_module, "reading_bytes", lambda: 1_000)
    sent = pickle.loads(pickle.dumps(item.to_send()))
    assert isinstance(sent.source.given, FileContent)
    assert sent.source.content.read(3, 9) == bytes(range(3, 9))
    path.write_bytes(b"another")
    with pytest.raises(BadRecording, match="changed"):
        pickle.loads(pickle.dumps(item)).source.content.read(3, 9)
    path.unlink()
    with pytest.raises(BadRecording, match="disk that all share"):
        pickle.loads(pickle.dumps(item)).source.content.read(3, 9)
