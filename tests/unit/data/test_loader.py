"""Batches on their way into training: whoever reads them, they are the same."""

import numpy as np
import pytest
import torch
from frame_specs import frame_spec
from sample_cases import SPECS, sample, write
from small_store import LABELS, small_store

from spikinghash.data.dataset import Field, SampleDataset
from spikinghash.data.label_sets import LabelSets
from spikinghash.data.loader import Loader, in_order
from spikinghash.data.open_cache import open_cache
from spikinghash.data.order import EpochBatches, Ranks
from spikinghash.data.samples import SampleArray
from spikinghash.data.store import SampleStore
from spikinghash.errors import BadStore
from spikinghash.methods.class_numbers import class_numbers
from spikinghash.training.split_dataset import split_dataset


def spec_of(store, classes=LABELS, side=16):
    return frame_spec(
        "spikinghash", "Nano", 16, classes, 4, side, side, (16, 16), 2, "atan",
        store.spec.fields["events"],
    )  # fmt: skip


@pytest.fixture
def opened(tmp_path):
    store = SampleStore.open(small_store(tmp_path / "store"))
    return store, open_cache(store.path, store.digest, tmp_path)


def test_a_split_as_a_map_style_data_set(opened):
    store, cache = opened
    frames, rows = store.load("val", "events")
    clips = split_dataset(cache, "val", spec_of(store, classes=("right", "left")))
    assert len(clips) == len(rows)
    labels = class_numbers(clips.labels.targets())
    assert labels.tolist() == [["right", "left"].index(row.label) for row in rows]
    one = clips[3]
    assert one.inputs["events"].dtype == torch.uint8
    assert (one.inputs["events"][:, 0].numpy() == np.minimum(frames[3], 2)).all()
    batch = clips.__getitems__([3, 0])
    assert torch.equal(batch.inputs["events"][:, :1], one.inputs["events"])
    assert batch.rows.tolist() == [3, 0]
    assert class_numbers(batch.targets).tolist() == labels[[3, 0]].tolist()
    whole = clips.for_method(batch, torch.device("cpu")).inputs["events"]
    assert whole.dtype == torch.float32
    assert torch.equal(whole.transpose(0, 1), torch.from_numpy(spec_of(store).input.fit(frames[[3, 0]])))


def test_a_label_that_the_model_does_not_know_and_a_split_without_clips(tmp_path, opened):
    store, cache = opened
    with pytest.raises(BadStore, match="train samples with labels the model does not know: right"):
        split_dataset(cache, "train", spec_of(store, classes=("left", "up")))
    few = SampleStore.open(small_store(tmp_path / "few", 2))
    with pytest.raises(BadStore, match="no samples in split val"):
        split_dataset(open_cache(few.path, few.digest, tmp_path), "val", spec_of(few))


def test_no_label_is_not_the_last_class(tmp_path):
    store = SampleStore.open(small_store(tmp_path / "s", labels=("left", None)))
    with pytest.raises(BadStore, match="spikinghash takes one label a sample; a train sample has none"):
        split_dataset(open_cache(store.path, store.digest, tmp_path), "train", spec_of(store))


def test_a_sample_that_lacks_the_modality_is_told_before_training(tmp_path):
    spec = SPECS["all four"]
    made = [sample(spec, i, lacks={"events"} if i == 2 else ()) for i in range(3)]
    store = write(tmp_path, made, spec)
    with pytest.raises(BadStore, match="1 of 3 train samples have no events; spikinghash is trained on"):
        split_dataset(open_cache(store.path, store.digest, tmp_path), "train", spec_of(store, classes=("a",)))


@pytest.mark.parametrize("batch", [1, 7, 26, 100])
def test_in_order_gives_every_clip_once(opened, batch):
    store, cache = opened
    clips = split_dataset(cache, "train", spec_of(store))
    parts = list(in_order(clips, batch))
    assert torch.cat([part.rows for part in parts]).tolist() == list(range(len(clips)))
    assert torch.equal(torch.cat([part.targets for part in parts]), clips.labels.targets())
    whole = clips.__getitems__(range(len(clips))).inputs["events"]
    assert torch.equal(torch.cat([part.inputs["events"] for part in parts], dim=1), whole)
    assert all(len(part) == batch for part in parts[:-1])


@pytest.mark.slow
def test_processes_read_the_same_batches_as_this_one(opened):
    store, cache = opened
    clips = split_dataset(cache, "train", spec_of(store))
    found = {}
    for workers in (0, 2):
        torch.manual_seed(5)
        batches = EpochBatches(len(clips), 4, 3, Ranks(1, 2))
        loader, seen = Loader(clips, batches, workers), []
        for epoch, step in ((0, 0), (1, 2)):
            batches.start(epoch, step)
            seen += list(loader)
        found[workers] = seen, torch.rand(3)
    assert len(found[0][0]) == len(clips) // 4 * 2 - 2
    for one, other in zip(found[0][0], found[2][0], strict=True):
        assert torch.equal(one.inputs["events"], other.inputs["events"])
        assert torch.equal(one.targets, other.targets)
        assert torch.equal(one.rows, other.rows)
    # the generator that dropout uses is left alone
    assert torch.equal(found[0][1], found[2][1])


def test_a_label_for_each_clip():
    with pytest.raises(ValueError, match="3 samples of events have 2 labels"):
        SampleDataset(
            {"events": Field(SampleArray(np.zeros((3, 1, 2, 4, 4))))}, LabelSets.single(np.zeros(2, np.int64), 2)
        )
