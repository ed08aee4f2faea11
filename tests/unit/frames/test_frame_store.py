import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_cases import META, clip

import spikinghash.frames.writer as writer_module
from spikinghash.errors import BadStore
from spikinghash.frames.columns import META_KEY
from spikinghash.frames.framing import Framing
from spikinghash.frames.schema import ClipRow, FrameMeta, FrameSource
from spikinghash.frames.store import FrameStore
from spikinghash.frames.writer import FILE, FrameWriter


def write(folder, clips, meta):
    with FrameWriter(folder, meta) as writer:
        for row, counts in clips:
            writer.add(row, counts)
    return FrameStore.open(folder)


clips = st.lists(
    st.tuples(
        st.sampled_from(["train", "val", "test"]),
        st.sampled_from(["a", "b", "ü\n", None]),
        st.dictionaries(st.sampled_from(["saturated", "coordinate"]), st.integers(1, 9)),
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=40)
@given(clips, st.sampled_from(["uint8", "uint16"]), st.integers(1, 5), st.integers(1, 4))
def test_write_then_read_is_identity(tmp_path_factory, some, dtype, batch, group):
    folder = tmp_path_factory.mktemp("store")
    meta = FrameMeta(steps=2, height=3, width=4, dtype=dtype, config={"seed": 1})
    made = [clip(meta, i, *rest) for i, rest in enumerate(some)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer_module, "GROUP_ROWS", group)
        store = write(folder, made, meta)
    assert store.meta == meta
    assert store.classes == sorted({row.label for row, _ in made if row.label is not None})
    for split in ("train", "val", "test", None):
        expected = [(row, counts) for row, counts in made if split in (None, row.split)]
        counts, rows = store.load(split)
        assert rows == store.rows(split) == [row for row, _ in expected]
        assert counts.dtype == dtype
        assert counts.shape == (len(rows), *meta.shape)
        assert all((ours == theirs).all() for ours, (_, theirs) in zip(counts, expected, strict=True))
        batches = list(store.iter_batches(split, batch))
        assert [row for _, part in batches for row in part] == rows
        assert all(len(part) == batch for _, part in batches[:-1])
        if batches:
            np.testing.assert_array_equal(np.concatenate([part for part, _ in batches]), counts)


def test_same_rows_same_bytes(tmp_path):
    made = [clip(META, i) for i in range(5)]
    first, second = (write(tmp_path / name, made, META) for name in "ab")
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.digest == second.digest
    assert write(tmp_path / "c", made[:4], META).digest != first.digest


def test_store_is_a_frame_source(tmp_path):
    source: FrameSource = write(tmp_path, [clip(META, 0)], META)
    assert source.load("train")[0].flags.writeable


def test_row_groups_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(writer_module, "GROUP_BYTES", 3 * META.clip_bytes)
    store = write(tmp_path, [clip(META, i) for i in range(8)], META)
    metadata = pq.ParquetFile(store.path).metadata
    assert [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)] == [3, 3, 2]


def test_duckdb_and_plain_pyarrow_read_it(tmp_path):
    duckdb = pytest.importorskip("duckdb")
    row, counts = clip(META, 1, dropped={"saturated": 2})
    store = write(tmp_path, [(row, counts)], META)
    found = duckdb.sql(f"select clip_id, octet_length(counts), dropped['saturated'] from '{store.path}'").fetchall()
    assert found == [(row.clip_id, counts.nbytes, 2)]
    described = json.loads(pq.read_schema(store.path).metadata[META_KEY])
    assert described | {"digest": None} == {
        "steps": 2,
        "polarities": 2,
        "height": 3,
        "width": 4,
        "dtype": "uint8",
        "config": {"binning": "test"},
        "schema_version": 1,
        "digest": None,
    }


def test_a_failure_publishes_nothing_and_keeps_the_old_store(tmp_path):
    store = write(tmp_path, [clip(META, 0)], META)
    before = store.path.read_bytes()
    with pytest.raises(ValueError, match="the store"), FrameWriter(tmp_path, META) as writer:
        writer.add(clip(META, 1)[0], np.zeros(3, dtype=np.uint8))
    assert store.path.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_writer_refuses_what_breaks_its_promises(tmp_path):
    row, counts = clip(META, 0)
    with FrameWriter(tmp_path, META) as writer:
        writer.add(row, counts)
        with pytest.raises(ValueError, match="already"):
            writer.add(row, counts)
        with pytest.raises(ValueError, match="the store"):
            writer.add(row, counts.astype("uint16"))
        with pytest.raises(ValueError, match="the store"):
            writer.add(row, counts[:1])
        broken = ClipRow(**(vars(row) | {"clip_id": "b", "events_in": row.events_in + 1}))
        with pytest.raises(ValueError, match="events in"):
            writer.add(broken, counts)


def refused(folder):
    with pytest.raises(BadStore) as caught:
        FrameStore.open(folder).load(None)
    message = str(caught.value)
    assert "\n" not in message
    assert str(folder) in message
    return message


def test_missing_store(tmp_path):
    assert "ingest" in refused(tmp_path)


def test_damaged_store(tmp_path):
    path = write(tmp_path, [clip(META, i) for i in range(4)], META).path
    good = path.read_bytes()
    for bad in (b"", b"hello", good[: len(good) // 2], good[:-9], good[4:]):
        path.write_bytes(bad)
        refused(tmp_path)
    # any flipped byte of the counts' pages is noticed by their checksum
    column = next(
        column
        for column in (pq.ParquetFile(_again(path, good)).metadata.row_group(0).column(i) for i in range(12))
        if column.path_in_schema == "counts"
    )
    middle = column.data_page_offset + column.total_compressed_size - 20
    path.write_bytes(good[:middle] + bytes([good[middle] ^ 1]) + good[middle + 1 :])
    refused(tmp_path)


def _again(path, content):
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda meta: meta | {"schema_version": 99}, "schema version 99"),
        (lambda meta: meta | {"steps": 3}, "digest"),
        (lambda meta: meta | {"steps": 0}, "no frame store"),
        (lambda meta: meta | {"extra": 1}, "wrong keys"),
        (lambda meta: [1], "not a JSON object"),
        (lambda meta: None, "not written by spikinghash"),
    ],
)
def test_other_versions_and_foreign_files(tmp_path, change, message):
    path = write(tmp_path, [clip(META, 0)], META).path
    table = pq.read_table(path)
    changed = change(json.loads(table.schema.metadata[META_KEY]))
    metadata = {} if changed is None else {META_KEY: json.dumps(changed)}
    pq.write_table(table.replace_schema_metadata(metadata), path)
    assert message in refused(tmp_path)


def test_other_columns(tmp_path):
    path = write(tmp_path, [clip(META, 0)], META).path
    table = pq.read_table(path).drop_columns(["sha256"])
    pq.write_table(table, path)
    assert "columns" in refused(tmp_path)


def test_batches_hold_at_least_one(tmp_path):
    store = write(tmp_path, [clip(META, 0)], META)
    with pytest.raises(ValueError, match="batch"):
        next(store.iter_batches(None, 0))


def test_a_misspelt_split_is_not_an_empty_one(tmp_path):
    store = write(tmp_path, [clip(META, 0)], META)
    with pytest.raises(ValueError, match="trian"):
        store.load("trian")


def test_descriptions_from_before_pictures_keep_their_digest():
    """Written down by the program that knew events alone; models and codes name it."""
    meta = Framing(4).meta((34, 34))
    assert meta.digest == "2461bcc54995e98f1b606cf4d6f9cdbcdad5b9524b2c9d4e3b120d729c81412f"
    assert "channels" not in json.loads(meta.to_json())
    assert FrameMeta.from_json(meta.to_json()).shape == (4, 2, 34, 34)


@pytest.mark.parametrize(
    "wrong", [{"channels": 1}, {"channels": 4}, {"channels": 3, "dtype": "float32"}, {"channels": "3"}, {"steps": True}]
)
def test_no_other_channels(wrong):
    with pytest.raises(ValueError, match="no frame store"):
        FrameMeta(**({"steps": 1, "height": 2, "width": 2, "dtype": "uint8"} | wrong))
