"""Search in memory and in a database: exact, without the query's own recording, readable."""

import shutil

import numpy as np
import pytest
from tiny_model import recording, save_tiny

from spikinghash import CodeDatabase, Hasher
from spikinghash.codes.database import CodeDatabase as Table
from spikinghash.codes.discover import discover
from spikinghash.codes.encode_recordings import encode_recordings
from spikinghash.errors import BadRecording, BadStore, ConfigError, StaleModel
from spikinghash.events.reader import decode
from spikinghash.index.flat import build_index


@pytest.fixture
def database(hasher, recordings, tmp_path):
    table = Table.create_or_open(tmp_path / "db")
    encode_recordings(discover([recordings]), hasher.encoder, table, decode=decode)
    return tmp_path / "db"


def slow_search(query, codes, k):
    """(distance, name) of the k nearest, by counting bits one by one."""
    distances = [
        (sum(int(a) != int(b) for a, b in zip(query, row, strict=True)), name)
        for row, name in zip(codes.unpacked(), codes.names, strict=True)
    ]
    return sorted(distances)[:k]


def test_the_nearest_clips_in_order(hasher, recordings):
    codes = hasher.encode(recordings)
    query = hasher.encode(np.full((1, 4, 2, 34, 34), 3, np.uint8))
    hits = hasher.search(query, codes, k=4)
    assert [(hit.distance, hit.name) for hit in hits] == slow_search(query.unpacked()[0], codes, 4)
    assert (len(hits), hits.bits, hits.distances[0]) == (4, 16, hits[0].distance)


def test_a_recording_does_not_find_itself_or_a_copy(hasher, recordings):
    shutil.copy(recordings / "a/0.bin", recordings / "b/copy.bin")
    codes = hasher.encode(recordings)
    hits = hasher.search(recordings / "a/0.bin", codes, k=100)
    assert sorted(hits.names) == sorted(n for n in codes.names if not n.endswith(("a/0.bin", "copy.bin")))
    # what has no file has no other copies: it finds all
    assert len(hasher.search(np.ones((4, 2, 34, 34), np.uint8), codes, k=100)) == len(codes) == 7


@pytest.mark.parametrize("indexed", [False, True])
def test_a_database_gives_what_its_codes_give(hasher, recordings, database, indexed):
    opened = CodeDatabase.open(database)
    if indexed:
        build_index(opened.table.load(), database / "index" / hasher.model)
    path = recordings / "b/1.bin"
    expected = hasher.search(path, opened.codes(), k=3)
    for place in (opened, database, str(database)):
        assert hasher.search(path, place, k=3) == expected
    assert len(expected) == 3


def test_what_a_database_holds(hasher, recordings, database):
    opened = CodeDatabase.open(database)
    codes = opened.codes()
    assert len(opened) == len(codes) == opened.rows().num_rows == 6
    assert opened.models() == [hasher.model] == [codes.model]
    fresh = hasher.encode(recordings)
    assert {n: c.tobytes() for n, c in zip(codes.names, codes.packed, strict=True)} == {
        n: c.tobytes() for n, c in zip(fresh.names, fresh.packed, strict=True)
    }
    assert repr(opened) == f"CodeDatabase('{database}')"
    with pytest.raises(BadStore, match="no code database here"):
        CodeDatabase.open(recordings)


def test_codes_of_two_models_are_never_compared(hasher, recordings, database, tmp_path):
    save_tiny(tmp_path / "other", 4)
    other = Hasher.load(tmp_path / "other")
    with pytest.raises(StaleModel, match="encode both with one model"):
        other.search(recordings / "a/0.bin", hasher.encode(recordings))
    with pytest.raises(StaleModel, match="no codes of model"):
        other.search(recordings / "a/0.bin", database)


def test_a_query_that_is_refused_is_told(hasher, recordings):
    codes = hasher.encode(recordings)
    with pytest.raises(BadRecording, match=r"unknown-format: .*bad\.raw: "):
        hasher.search(recordings / "a/bad.raw", codes)
    for query, k in ((codes[:0], 3), (codes[0], 0), (codes[0], 2.5), (codes[0], "5"), (codes[0], True)):
        with pytest.raises(ConfigError):
            hasher.search(query, codes, k)
    with pytest.raises(ConfigError, match="database must be Codes, a CodeDatabase or a folder, not ndarray"):
        hasher.search(codes[0], codes.packed)
    for batch in (0, -1, "64"):
        with pytest.raises(ConfigError, match="batch must be a whole number of at least 1"):
            Hasher.load("nowhere", batch=batch)
    with pytest.raises(ConfigError, match="a model is a folder or a reference"):
        Hasher.load(None)
    with pytest.raises(ConfigError, match="no codes to search"):
        hasher.search(codes[0], codes[:0])


def test_hits_are_readable(hasher, tmp_path):
    for number in range(3):
        (tmp_path / f"<b>{number}.bin").write_bytes(recording(number))
    codes = hasher.encode(tmp_path).with_labels(["one", None, "<i>"])
    hits = hasher.search(codes[:2], codes, k=2)
    assert [query for query, _ in hits.answers] == codes.names[:2].tolist()
    assert hits.labels.count("<i>") == 2
    lines = str(hits).splitlines()
    assert lines[0] == f"{codes.names[0]}:"
    assert len(lines) == 2 + len(hits) == 6
    for hit, line in zip(hits, [*lines[1:3], *lines[4:]], strict=True):
        assert line.split()[0] == str(hit.distance)
        assert hit.name in line
    page = hits._repr_html_()
    assert "&lt;b&gt;2.bin" in page
    assert "&lt;i&gt;" in page
    assert "<i>" not in page
    assert page.count("<tr>") == 2 + len(hits)
