"""What every store promises: for each kind of sample, alone or several a row, in both file formats."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_cases import EVENTS, SPECS, same, sample, write

import spikinghash.data.hdf5_store as hdf5_store
import spikinghash.data.parquet_writer as parquet_writer
from spikinghash.data.open_cache import open_cache
from spikinghash.data.open_store import create_store, open_store
from spikinghash.data.store import SampleSource, SampleStore
from spikinghash.data.store_files import STORE_FILES
from spikinghash.errors import BadStore
from spikinghash.schema import SPLITS

KINDS = sorted(STORE_FILES)
every_kind = pytest.mark.parametrize("kind", KINDS)
every_spec = pytest.mark.parametrize("name", SPECS)

#: Split, labels, dropped events, modalities that are missing, group.
rows = st.lists(
    st.tuples(
        st.sampled_from(SPLITS),
        st.lists(st.sampled_from(["a", "b", "ü\n"]), unique=True).map(tuple),
        st.dictionaries(st.sampled_from(["saturated", "coordinate"]), st.integers(1, 9)),
        st.sets(st.sampled_from(["events", "image", "caption", "words", "left", "right"])),
        st.sampled_from([None, "pair 1", "pair 2"]),
    ),
    max_size=12,
)


def made_of(spec, some):
    return [sample(spec, number, *one) for number, one in enumerate(some)]


@every_kind
@every_spec
@settings(deadline=None, max_examples=15)
@given(rows, st.integers(1, 5), st.integers(1, 4))
def test_write_then_read_is_identity(tmp_path_factory, kind, name, some, batch, block):
    spec = SPECS[name]
    made = made_of(spec, some)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hdf5_store, "BLOCK_BYTES", block * spec.sample_bytes)
        patch.setattr(parquet_writer, "GROUP_ROWS", block)
        store = write(tmp_path_factory.mktemp("store"), made, spec, kind)
        same(store, made, spec)
        for split in (*SPLITS, None):
            expected = [(row, values) for row, values in made if split in (None, row.split)]
            assert store.rows(split) == [row for row, _ in expected]
            batches = list(store.iter_batches(split, batch))
            assert all(len(one) == batch for one in batches[:-1])
            found = [(row, one, place) for one in batches for place, row in enumerate(one.rows)]
            for (row, one, place), (other, values) in zip(found, expected, strict=True):
                assert row == other
                for modality in spec.fields:
                    assert one.present[modality][place] == (modality in values)
                    assert (one.values[modality][place] == values.get(modality, 0)).all()
    assert store.classes == sorted({label for row, _ in made for label in row.labels})


@every_kind
@every_spec
@settings(deadline=None, max_examples=8)
@given(rows)
def test_the_cache_holds_what_the_store_does(tmp_path_factory, kind, name, some):
    spec, folder = SPECS[name], tmp_path_factory.mktemp("store")
    made = made_of(spec, some)
    store = write(folder, made, spec, kind)
    cache = open_cache(store.path, store.digest, folder)
    numbers = {}
    for row, _ in made:
        numbers.setdefault(row.group, len(numbers))
    for split, found in cache.splits.items():
        expected = [(row, values) for row, values in made if row.split == split]
        assert [tuple(cache.classes[n] for n in found.labels[i]) for i in range(len(found))] == [
            row.labels for row, _ in expected
        ]
        assert found.groups.tolist() == [numbers[row.group] for row, _ in expected]
        for modality, field in spec.fields.items():
            values = found.inputs[modality].read(range(len(found)))
            assert (values.dtype, values.shape[1:]) == (field.dtype, field.shape)
            there = [modality in some for _, some in expected]
            assert found.present.get(modality, np.ones(len(found), bool)).tolist() == there
            assert (modality in found.present) == (not all(there))
            for ours, (_, theirs) in zip(values, expected, strict=True):
                assert (ours == theirs.get(modality, 0)).all()


@every_spec
@pytest.mark.parametrize("first", KINDS)
def test_parquet_to_hdf5_and_back_is_identity(tmp_path, name, first):
    second, spec = next(kind for kind in KINDS if kind != first), SPECS[name]
    original = write(tmp_path / "1", [sample(spec, i, lacks={"image", "left"}) for i in range(5)], spec, first)
    copied = write(tmp_path / "2", content(original), spec, second)
    assert write(tmp_path / "3", content(copied), spec, first).digest == original.digest


def content(store):
    """The samples of a store, as `write` takes them."""
    return [
        (row, {name: block.values[name][i] for name in store.spec.fields if block.present[name][i]})
        for block in store.iter_batches(None, 3)
        for i, row in enumerate(block.rows)
    ]


@every_kind
@every_spec
def test_same_rows_same_bytes(tmp_path, kind, name):
    made = [sample(SPECS[name], i) for i in range(5)]
    first, second = (write(tmp_path / place, made, SPECS[name], kind) for place in "ab")
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.digest == second.digest
    assert write(tmp_path / "c", made[:4], SPECS[name], kind).digest != first.digest


@every_kind
def test_a_failure_publishes_nothing_and_keeps_the_old_store(tmp_path, kind):
    store = write(tmp_path, [sample(EVENTS, 0)], EVENTS, kind)
    before = store.path.read_bytes()
    with pytest.raises(ValueError, match="the store"), create_store(tmp_path, EVENTS, kind) as writer:
        writer.add(sample(EVENTS, 1)[0], {"events": np.zeros(3, dtype=np.uint8)})
    assert store.path.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [STORE_FILES[kind]]


@every_kind
def test_a_new_store_replaces_one_of_another_kind(tmp_path, kind):
    for other in KINDS:
        write(tmp_path, [sample(EVENTS, 0)], EVENTS, other)
    assert write(tmp_path, [sample(EVENTS, 1)], EVENTS, kind).path.name == STORE_FILES[kind]
    assert len(list(tmp_path.iterdir())) == 1


@every_kind
def test_writer_refuses_what_breaks_its_promises(tmp_path, kind):
    spec = SPECS["all four"]
    row, values = sample(spec, 0)
    account = row.accounts["events"]
    broken = replace(account, events_in=account.events_in + 1)
    other = replace(row, sample_id="b")
    with create_store(tmp_path, spec, kind) as writer:
        writer.add(row, values)
        for some, inputs, message in [
            (row, values, "already"),
            (other, values | {"events": values["events"].astype("uint16")}, "the store"),
            (other, values | {"image": values["image"][:1]}, "the store"),
            (other, values | {"sound": values["image"]}, "has caption, events, image, words, sound, the store"),
            (other, {}, "has nothing, the store"),
            (
                replace(other, accounts={"events": broken}),
                values,
                "events in",
            ),
            (replace(other, accounts={}), values, "an account each"),
            (replace(other, accounts={"events": account, "image": account}), values, "nothing else has one"),
            (other, {"image": values["image"]}, "nothing else has one"),
            (replace(other, labels=("a", "b", "a")), values, "a label twice: a, b, a"),
        ]:
            with pytest.raises(ValueError, match=message):
                writer.add(some, inputs)
    assert len(open_store(tmp_path).rows(None)) == 1


def refused(folder):
    with pytest.raises(BadStore) as caught:
        for _ in SampleStore.open(folder).iter_batches(None, 2):
            pass
    message = str(caught.value)
    assert "\n" not in message
    assert str(folder) in message
    return message


@every_kind
def test_content_decides_not_the_name(tmp_path, kind):
    made = [sample(EVENTS, 0)]
    path = write(tmp_path, made, EVENTS, kind).path
    other = next(name for name in STORE_FILES.values() if name != path.name)
    same(open_store(path.rename(tmp_path / other)), made, EVENTS)


@every_kind
@pytest.mark.parametrize("name", ["events uint8", "features float16", "all four"])
def test_any_damage_is_one_clear_line_or_harmless(tmp_path, kind, name):
    made = [sample(SPECS[name], i) for i in range(4)]
    path = write(tmp_path, made, SPECS[name], kind).path
    good = path.read_bytes()
    for bad in (b"", b"hello", good[: len(good) // 2], good[:-9], good[4:]):
        path.write_bytes(bad)
        refused(tmp_path)
    rng = np.random.default_rng(0)
    for place in rng.integers(0, len(good), 100):
        path.write_bytes(good[:place] + bytes([good[place] ^ 0x10]) + good[place + 1 :])
        try:
            found = content(SampleStore.open(tmp_path))
        except BadStore as error:
            assert "\n" not in str(error)
        else:
            for (_, ours), (_, theirs) in zip(found, made, strict=True):
                assert ours.keys() == theirs.keys()
                assert all((ours[modality] == theirs[modality]).all() for modality in ours)


@every_kind
def test_a_misspelt_split_an_empty_batch_and_a_modality_that_is_not_there(tmp_path, kind):
    store = write(tmp_path, [sample(EVENTS, 0)], EVENTS, kind)
    for ask in (
        lambda: store.load("trian", "events"),
        lambda: store.rows("trian"),
        lambda: next(store.iter_batches("trian", 1)),
    ):
        with pytest.raises(ValueError, match="trian"):
            ask()
    with pytest.raises(ValueError, match="batch"):
        next(store.iter_batches(None, 0))
    with pytest.raises(BadStore, match="has no image; its samples have events"):
        store.load(None, "image")


@every_kind
def test_one_modality_of_those_that_have_it(tmp_path, kind):
    spec = SPECS["all four"]
    lacking = [{"image"}, set(), {"image", "words"}, {"events"}, set()]
    made = [sample(spec, i, lacks=lacks) for i, lacks in enumerate(lacking)]
    source: SampleSource = write(tmp_path, made, spec, kind)
    found = list(source.iter_inputs("image", None, 2))
    assert [row.sample_id for _, rows in found for row in rows] == [made[i][0].sample_id for i in (1, 3, 4)]
    assert all((values == [made[int(row.origin[1:])][1]["image"] for row in rows]).all() for values, rows in found)
