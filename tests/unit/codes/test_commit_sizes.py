"""A long run commits more at once, for every commit looks at those before it; each clip is committed once."""

import pytest
from tiny_model import recording, save_tiny

from spikinghash.codes import sink
from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.encode_recordings import encode_recordings
from spikinghash.codes.encoder import Encoder
from spikinghash.events.reader import decode
from spikinghash.training.checkpoint import load_model


@pytest.mark.parametrize(
    ("largest", "commits"),
    [
        # halves of what is there: 1, 1, 1, 1, 2, 3, 4, 6, and one when there is no more
        (100, 9),
        (3, 10),
        (1, 20),
    ],
)
def test_commits_grow_with_what_is_committed(tmp_path, monkeypatch, largest, commits):
    monkeypatch.setattr(sink, "COMMIT", 1)
    monkeypatch.setattr(sink, "PART", 2)
    monkeypatch.setattr(sink, "LARGEST", largest)
    save_tiny(tmp_path / "model", 0)
    (tmp_path / "in").mkdir()
    for number in range(20):
        (tmp_path / "in" / f"{number:02}.bin").write_bytes(recording(number))
    database = CodeDatabase.create_or_open(tmp_path / "db")
    before = database.version()
    files = sorted((tmp_path / "in").iterdir())
    report = encode_recordings(files, Encoder(load_model(tmp_path / "model"), workers=1), database, decode=decode)
    assert report.committed == 20 == database.rows().num_rows
    assert database.version() - before == commits
