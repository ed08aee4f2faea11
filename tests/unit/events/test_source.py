"""Files that would take more memory than one recording may have are refused before they are read."""

import pytest

from spikinghash.errors import BadRecording
from spikinghash.events import machine_memory, source
from spikinghash.events.source import open_source


def refusal(path):
    with pytest.raises(BadRecording) as caught:
        open_source(path)
    return caught.value


def test_a_file_that_is_nearly_all_hole_is_refused_unread(tmp_path):
    path = tmp_path / "sparse.bin"
    with path.open("wb") as stream:
        stream.truncate(1536 << 20)
    error = refusal(path)
    assert error.reason == "expansion"
    assert "hole" in error.message
    with path.open("wb") as stream:
        stream.write(bytes([1]) * 500_000)
        stream.truncate(2 << 20)
    assert len(open_source(path).data) == 2 << 20


def test_a_file_that_takes_more_than_a_share_of_memory_is_not_held_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(source, "reading_bytes", lambda: 3_000)
    path = tmp_path / "large.bin"
    path.write_bytes(bytes(1_001))
    large = open_source(path)
    with pytest.raises(BadRecording, match="memory"):
        large.data  # noqa: B018
    assert large.content.read(1_000, 1_001) == bytes(1)
    path.write_bytes(bytes(1_000))
    assert len(open_source(path).data) == 1_000


def test_the_share_is_a_quarter_of_the_machine_or_of_what_its_control_group_allows(tmp_path, monkeypatch):
    import psutil

    machine_memory.reading_bytes.cache_clear()
    assert 0 < machine_memory.reading_bytes() <= psutil.virtual_memory().total // 4
    (tmp_path / "memory.max").write_text("1073741824\n")
    monkeypatch.setattr(machine_memory, "_CGROUPS", (str(tmp_path / "memory.max"), str(tmp_path / "none")))
    machine_memory.reading_bytes.cache_clear()
    assert machine_memory.reading_bytes() <= 1 << 28
    (tmp_path / "memory.max").write_text("max\n")
    machine_memory.reading_bytes.cache_clear()
    assert machine_memory.reading_bytes() > 0
    machine_memory.reading_bytes.cache_clear()
