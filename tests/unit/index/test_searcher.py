"""Searching a database: with an index, with a stale one or none the answer is the same."""

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from spikinghash.codes.codeset import recording_key
from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.schema import CODE_ROWS, LATER_COLUMNS
from spikinghash.errors import BadStore, ConfigError, StaleModel
from spikinghash.index.clips import CLIP_ROWS, Clips, clips_of
from spikinghash.index.filters import Filters
from spikinghash.index.flat import HammingIndex, build_index
from spikinghash.index.manifest import Manifest, manifest_to_bytes
from spikinghash.index.searcher import open_searcher

SHA = ["aa" * 32, "bb" * 32, "cc" * 32]


def rows(ids, codes, model="m1"):
    n = len(ids)
    return pa.table(
        {
            "clip_id": [f"clip-{i:05}" for i in ids],
            "recording": [f"r{i}" for i in ids],
            "recording_sha256": [SHA[i % 3] for i in ids],
            "archive": pa.array([None if i % 4 == 0 else f"{i % 4}.zip" for i in ids], pa.string()),
            "label": pa.array([None if i % 5 == 0 else "cat" if i % 2 else "dog" for i in ids], pa.string()),
            "start_us": [10 * i for i in ids],
            "end_us": [10 * i + 15 for i in ids],
            "code": [bytes(c) for c in codes],
            "model": [model] * n,
            "frames": ["f"] * n,
            "encoded_at": pa.array([0] * n, pa.timestamp("us", "UTC")),
        },
        schema=pa.schema([f for f in CODE_ROWS if f.name not in ("split", "min_margin", *LATER_COLUMNS)]),
    )


def random_codes(count, seed=0):
    codes = np.random.default_rng(seed).integers(0, 256, (count, 8), dtype=np.uint8)
    codes[:, 2:] = 0  # many ties
    return codes


@pytest.fixture
def database(tmp_path):
    """300 clips indexed in random order, 100 more committed after it, whose names lie between."""
    database = CodeDatabase.create_or_open(tmp_path / "db")
    order, codes = np.random.default_rng(1).permutation(400), random_codes(400)
    database.append(rows(order[:300], codes[order[:300]]))
    build_index(database.load(), tmp_path / "index")
    database.append(rows(order[300:], codes[order[300:]]))
    return database


def told(tables):
    return [table.select(["clip_id", "distance"]).to_pylist() for table in tables]


def oracle(queries, k, radius, allowed):
    """Every clip in order of (distance, clip id): a loop over the codes."""
    answers = []
    for query in queries:
        distances = np.bitwise_count(random_codes(400) ^ query).sum(axis=1)
        order = sorted((int(d), f"clip-{i:05}") for i, d in enumerate(distances) if allowed(i))
        near = [(d, clip) for d, clip in order if radius is None or d <= radius][:k]
        answers.append([{"clip_id": clip, "distance": d} for d, clip in near])
    return answers


@pytest.mark.parametrize(("k", "radius"), [(7, None), (500, None), (None, 4), (5, 3), (None, 0)])
@pytest.mark.parametrize(
    ("filters", "allowed"),
    [
        (None, lambda i: True),
        (Filters(labels=("cat",)), lambda i: i % 5 and i % 2),
        (Filters(archives=("1.zip", "3.zip")), lambda i: i % 4 in (1, 3)),
        (Filters(from_us=100, to_us=1000), lambda i: 10 * i + 15 > 100 and 10 * i < 1000),
        (Filters(labels=("cow",)), lambda i: False),
    ],
)
def test_with_an_index_and_without_the_same_is_found(database, tmp_path, k, radius, filters, allowed):
    queries, expected = random_codes(3, seed=5), None
    expected = oracle(queries, k, radius, allowed)
    indexed, plain = (open_searcher(database, "m1", folder) for folder in (tmp_path / "index", None))
    assert [part.manifest.rows for part in indexed.parts] == [300, 100]
    assert [part.manifest.rows for part in plain.parts] == [400]
    assert told(indexed.find(queries, k, radius, filters)) == expected
    assert told(plain.find(queries, k, radius, filters)) == expected


def test_the_clips_of_a_recording_are_found_in_all_parts(database, tmp_path):
    codes = open_searcher(database, "m1", tmp_path / "index")
    names = codes.own(recording_key(SHA[1])).column("clip_id").to_pylist()
    assert sorted(names) == [f"clip-{i:05}" for i in range(1, 400, 3)]
    assert codes.own(recording_key("dd" * 32)).num_rows == 0


def test_an_index_of_compacted_files_is_left_aside(database, tmp_path):
    database.compact()
    codes = open_searcher(database, "m1", tmp_path / "index")
    assert "spikinghash index" in codes.note
    assert [part.manifest.rows for part in codes.parts] == [400]
    build_index(database.load(), tmp_path / "index")
    assert open_searcher(database, "m1", tmp_path / "index").note is None


def test_an_index_of_another_model_or_of_a_split_or_broken_is_left_aside(database, tmp_path):
    database.append(rows(range(4), random_codes(4), model="m2"))
    folder = tmp_path / "index"
    assert open_searcher(database, "m2", folder).note is not None
    assert [len(part.clips) for part in open_searcher(database, "m1", folder).parts] == [300, 100]
    rewritten(folder, covers=[])
    assert open_searcher(database, "m1", folder).note is not None
    (folder / "index.faiss").write_bytes(b"")
    assert "index.faiss" in open_searcher(database, "m1", folder).note
    assert open_searcher(database, "m1", tmp_path / "none").note is None
    with pytest.raises(StaleModel, match="m3"):
        open_searcher(database, "m3", folder)


def test_damage_within_the_clips_makes_a_search_slower_and_not_wrong(database, tmp_path):
    """A damaged `clips.parquet` shows when its clips are read: all codes are read instead, and the answer says so."""
    path = tmp_path / "index/clips.parquet"
    content = bytearray(path.read_bytes())
    content[60] ^= 4
    path.write_bytes(content)
    codes = open_searcher(database, "m1", tmp_path / "index")
    assert codes.note is None
    assert told(codes.find(random_codes(1), 300)) == oracle(random_codes(1), 300, None, lambda i: True)
    assert "clips.parquet is damaged" in codes.note
    codes = open_searcher(database, "m1", tmp_path / "index")
    assert codes.own(recording_key(SHA[1])).num_rows == 133
    assert codes.note is not None


def rewritten(folder, **changes):
    """`index.json` with other fields, its own digest made right again: what a person could write by hand."""
    fields = json.loads((folder / "index.json").read_text())
    fields.pop("digest")
    manifest = replace(Manifest(**fields), **changes)
    (folder / "index.json").write_bytes(manifest_to_bytes(manifest))


def test_an_index_that_covers_less_than_it_holds_doubles_nothing(database, tmp_path):
    folder = tmp_path / "index"
    database.append(rows([400], random_codes(1)))
    build_index(database.load(), folder)
    covers = json.loads((folder / "index.json").read_text())["covers"]
    assert len(covers) == 3
    for fewer in ([covers[0]], covers[:2], []):
        rewritten(folder, covers=fewer)
        codes = open_searcher(database, "m1", folder)
        assert codes.note is not None
        ids = codes.find(random_codes(1), 1000)[0].column("clip_id").to_pylist()
        assert len(ids) == len(set(ids)) == 401
    # as many rows as it holds, but other ones
    plain = json.loads((folder / "index.json").read_text())
    (folder / "index.json").write_text(json.dumps(plain | {"covers": covers}))
    assert "was changed after it was written" in open_searcher(database, "m1", folder).note


def test_a_clip_that_two_parts_hold_is_told_once(database, tmp_path):
    codes = open_searcher(database, "m1", tmp_path / "index")
    codes.parts.append(codes.parts[1])
    assert len(codes.find(random_codes(1), 1000)[0]) == 400
    assert "again in a file" in codes.note


def test_an_index_of_a_version_that_the_log_no_longer_has_is_an_error(database, tmp_path):
    """Rows that went with the log must not be missing without a word."""
    build_index(database.load(), tmp_path / "index")
    log = tmp_path / "db/codes/_delta_log"
    (log / f"{2:020}.json").unlink()
    (tmp_path / "db/codes/_newest.json").unlink()  # a database of an older version of this program
    with pytest.raises(BadStore, match=r"went backwards.*fsck --repair"):
        open_searcher(database, "m1", tmp_path / "index")
    # an index of another database is only of no use
    other = CodeDatabase.create_or_open(tmp_path / "other")
    other.append(rows(range(3), random_codes(3)))
    assert "not an index of all codes" in open_searcher(other, "m1", tmp_path / "index").note


@pytest.mark.parametrize("k", [10**6, 2**31, 2**63, 10**40])
def test_a_k_beyond_all_clips_finds_all(database, tmp_path, k):
    codes = open_searcher(database, "m1", tmp_path / "index")
    assert codes.find(random_codes(1), k)[0].num_rows == 400
    assert codes.find(random_codes(1), 5, k)[0].num_rows == 5
    assert codes.find(random_codes(1), None, k)[0].num_rows == 400


@pytest.mark.parametrize(
    "filters",
    [{"labels": ("\udcff",)}, {"archives": ("\udcff.zip",)}, {"from_us": 2**63}, {"to_us": -(2**70)}],
)
def test_filters_that_no_clip_can_meet_is_refused(filters):
    with pytest.raises(ConfigError):
        Filters(**filters)


def test_clips_are_looked_up_across_row_groups(tmp_path):
    database = CodeDatabase.create_or_open(tmp_path / "db")
    many = 20_000
    database.append(rows(range(many), random_codes(many)))
    codes = database.load()
    build_index(codes, tmp_path / "index")
    on_disk, whole = HammingIndex.load(tmp_path / "index").clips, Clips(clips_of(codes))
    assert len(on_disk) == len(whole) == many
    for wanted in ([], [0], [19_999, 3, 8191, 8192, 16_383, 3], [9000]):
        chosen = np.array(wanted, np.int64)
        assert on_disk.take(chosen).to_pylist() == whole.take(chosen).to_pylist()
    assert on_disk.take(np.empty(0, np.int64)).schema.equals(CLIP_ROWS)


def test_an_empty_interval_is_refused():
    with pytest.raises(ConfigError, match="5 and 5 us"):
        Filters(from_us=5, to_us=5)


def test_neither_k_nor_radius_is_refused(database, tmp_path):
    with pytest.raises(ConfigError, match="radius"):
        open_searcher(database, "m1", tmp_path / "index").find(random_codes(1), None)
