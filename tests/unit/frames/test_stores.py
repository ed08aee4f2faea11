"""What every kind of frame store promises."""

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_cases import META, clip

import spikinghash.frames.hdf5_store as hdf5_store
from spikinghash.errors import BadStore
from spikinghash.frames.hdf5_columns import COUNTS, META_ATTRIBUTE
from spikinghash.frames.open_store import create_store, open_store
from spikinghash.frames.schema import ClipRow, FrameMeta
from spikinghash.frames.store import FrameStore
from spikinghash.frames.store_files import STORE_FILES

KINDS = sorted(STORE_FILES)
every_kind = pytest.mark.parametrize("kind", KINDS)

clips = st.lists(
    st.tuples(
        st.sampled_from(["train", "val", "test"]),
        st.sampled_from(["a", "b", "ü\n", None]),
        st.dictionaries(st.sampled_from(["saturated", "coordinate"]), st.integers(1, 9)),
    ),
    max_size=12,
)


def write(folder, made, meta, kind):
    with create_store(folder, meta, kind) as writer:
        for row, counts in made:
            writer.add(row, counts)
    return open_store(folder)


def same(store, made, meta):
    counts, rows = store.load(None)
    assert store.meta == meta
    assert rows == [row for row, _ in made]
    assert counts.dtype == meta.dtype
    assert all((ours == theirs).all() for ours, (_, theirs) in zip(counts, made, strict=True))


@every_kind
@settings(deadline=None, max_examples=40)
@given(clips, st.sampled_from(["uint8", "uint16", "float32"]), st.integers(1, 5), st.integers(1, 4))
def test_write_then_read_is_identity(tmp_path_factory, kind, some, dtype, batch, block):
    folder = tmp_path_factory.mktemp("store")
    meta = FrameMeta(steps=2, height=3, width=4, dtype=dtype, config={"seed": 1})
    made = [clip(meta, i, *rest) for i, rest in enumerate(some)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hdf5_store, "BLOCK_BYTES", block * meta.clip_bytes)
        store = write(folder, made, meta, kind)
        same(store, made, meta)
        for split in ("train", "val", "test", None):
            expected = [(row, counts) for row, counts in made if split in (None, row.split)]
            counts, rows = store.load(split)
            assert rows == store.rows(split) == [row for row, _ in expected]
            assert counts.flags.writeable
            batches = list(store.iter_batches(split, batch))
            assert [row for _, part in batches for row in part] == rows
            assert all(len(part) == len(found) == batch for found, part in batches[:-1])
            if batches:
                np.testing.assert_array_equal(np.concatenate([part for part, _ in batches]), counts)
    assert store.classes == sorted({row.label for row, _ in made if row.label is not None})


def content(store):
    """The clips of a store, as `write` takes them."""
    frames, rows = store.load(None)
    return list(zip(rows, frames, strict=True))


@settings(deadline=None, max_examples=40)
@given(clips, st.sampled_from(["uint8", "uint16", "float32"]), st.sampled_from(KINDS))
def test_parquet_to_hdf5_and_back_is_identity(tmp_path_factory, some, dtype, first):
    folder = tmp_path_factory.mktemp("copy")
    second = next(kind for kind in KINDS if kind != first)
    meta = FrameMeta(steps=2, height=3, width=4, dtype=dtype)
    made = [clip(meta, i, *rest) for i, rest in enumerate(some)]
    original = write(folder / "1", made, meta, first)
    copied = write(folder / "2", content(original), meta, second)
    same(copied, made, meta)
    assert write(folder / "3", content(copied), meta, first).digest == original.digest


@every_kind
def test_same_rows_same_bytes(tmp_path, kind):
    made = [clip(META, i) for i in range(5)]
    first, second = (write(tmp_path / name, made, META, kind) for name in "ab")
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.digest == second.digest != write(tmp_path / "c", made[:4], META, kind).digest


@every_kind
def test_a_failure_publishes_nothing_and_keeps_the_old_store(tmp_path, kind):
    store = write(tmp_path, [clip(META, 0)], META, kind)
    before = store.path.read_bytes()
    with pytest.raises(ValueError, match="the store"), create_store(tmp_path, META, kind) as writer:
        writer.add(clip(META, 1)[0], np.zeros(3, dtype=np.uint8))
    assert store.path.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [STORE_FILES[kind]]


@every_kind
def test_a_new_store_replaces_one_of_another_kind(tmp_path, kind):
    for other in KINDS:
        write(tmp_path, [clip(META, 0)], META, other)
    assert write(tmp_path, [clip(META, 1)], META, kind).path.name == STORE_FILES[kind]
    assert len(list(tmp_path.iterdir())) == 1


@every_kind
def test_writer_refuses_what_breaks_its_promises(tmp_path, kind):
    row, counts = clip(META, 0)
    with create_store(tmp_path, META, kind) as writer:
        writer.add(row, counts)
        broken = ClipRow(**(vars(row) | {"clip_id": "b", "events_in": row.events_in + 1}))
        for args, message in [
            ((row, counts), "already"),
            ((row, counts.astype("uint16")), "the store"),
            ((row, counts[:1]), "the store"),
            ((broken, counts), "events in"),
        ]:
            with pytest.raises(ValueError, match=message):
                writer.add(*args)


def refused(folder):
    with pytest.raises(BadStore) as caught:
        FrameStore.open(folder).load(None)
    message = str(caught.value)
    assert "\n" not in message
    assert str(folder) in message
    return message


def test_none_two_and_neither(tmp_path):
    assert "ingest" in refused(tmp_path)
    assert "ingest" in refused(tmp_path / "nowhere")
    for name in STORE_FILES.values():
        (tmp_path / name).write_bytes(b"hello")
    assert "two frame stores" in refused(tmp_path)
    (tmp_path / "frames.h5").unlink()
    assert "neither" in refused(tmp_path)


@every_kind
def test_content_decides_not_the_name(tmp_path, kind):
    made = [clip(META, 0)]
    path = write(tmp_path, made, META, kind).path
    other = next(name for name in STORE_FILES.values() if name != path.name)
    same(open_store(path.rename(tmp_path / other)), made, META)


@every_kind
def test_any_damage_is_one_clear_line_or_harmless(tmp_path, kind):
    made = [clip(META, i) for i in range(4)]
    path = write(tmp_path, made, META, kind).path
    good = path.read_bytes()
    for bad in (b"", good[: len(good) // 2], good[:-9], good[4:]):
        path.write_bytes(bad)
        refused(tmp_path)
    rng = np.random.default_rng(0)
    for place in rng.integers(0, len(good), 150):
        path.write_bytes(good[:place] + bytes([good[place] ^ 0x10]) + good[place + 1 :])
        try:
            counts, _ = FrameStore.open(tmp_path).load(None)
        except BadStore as error:
            assert "\n" not in str(error)
        else:
            assert all((ours == theirs).all() for ours, (_, theirs) in zip(counts, made, strict=True))


@every_kind
def test_a_misspelt_split_and_an_empty_batch(tmp_path, kind):
    store = write(tmp_path, [clip(META, 0)], META, kind)
    for ask in (lambda: store.load("trian"), lambda: store.rows("trian"), lambda: next(store.iter_batches("trian", 1))):
        with pytest.raises(ValueError, match="trian"):
            ask()
    with pytest.raises(ValueError, match="batch"):
        next(store.iter_batches(None, 0))


def break_chunks(file):
    counts = file[COUNTS][()]
    del file[COUNTS]
    file.create_dataset(COUNTS, data=counts)


def move_out(file, link):
    del file["label"]
    file["label"] = link


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda file: move_out(file, h5py.ExternalLink("other.h5", "/label")), "link"),
        (lambda file: move_out(file, h5py.SoftLink("/split")), "link"),
        (lambda file: file.__delitem__(COUNTS), "link"),
        (lambda file: file.__delitem__("sha256"), "link"),
        (lambda file: file.attrs.__delitem__(META_ATTRIBUTE), "not written by spikinghash"),
        (lambda file: file.attrs.__setitem__(META_ATTRIBUTE, "[1]"), "not a JSON object"),
        (lambda file: file.attrs.__setitem__(META_ATTRIBUTE, META.to_json().replace("2", "3", 1)), "match"),
        (lambda file: file["events_in"].resize(1, axis=0), "differ in length"),
        (lambda file: move_out(file, np.zeros(3)), "no column"),
        (break_chunks, "not those of its description"),
    ],
)  # fmt: skip
def test_foreign_hdf5(tmp_path, change, message):
    path = write(tmp_path, [clip(META, i) for i in range(3)], META, "hdf5").path
    with h5py.File(path, "r+") as file:
        change(file)
    assert message in refused(tmp_path)


def test_other_programs_read_the_hdf5_file(tmp_path):
    row, counts = clip(META, 1, dropped={"saturated": 2})
    path = write(tmp_path, [(row, counts)], META, "hdf5").path
    with h5py.File(path, "r") as file:
        assert file["clip_id"][0].decode() == row.clip_id
        assert (file["counts"][0] == counts).all()
        assert file["counts"].chunks == (1, *META.shape)
        assert file["counts"].compression == "gzip"
        assert file["dropped"][0] == b'{"saturated": 2}'
