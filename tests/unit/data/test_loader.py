"""Batches on their way into training: whoever reads them, they are the same."""

import numpy as np
import pytest
import torch
from small_store import LABELS, small_store

from spikinghash.data.clips import ClipArray
from spikinghash.data.dataset import ClipDataset
from spikinghash.data.loader import Loader, in_order
from spikinghash.data.open_cache import open_cache
from spikinghash.data.order import EpochBatches, Ranks
from spikinghash.data.split_dataset import split_dataset
from spikinghash.errors import BadStore
from spikinghash.frames.store import FrameStore
from spikinghash.methods.spec import ModelSpec


def spec_of(store, classes=LABELS, side=16):
    return ModelSpec(
        "spikinghash", "Nano", 16, classes, store.meta.steps, side, side, (16, 16), 2, "atan", store.meta.digest,
        store.meta.to_json(),
    )  # fmt: skip


@pytest.fixture
def opened(tmp_path):
    store = FrameStore.open(small_store(tmp_path / "store"))
    return store, open_cache(store.path, store.digest, tmp_path)


def test_a_split_as_a_map_style_data_set(opened):
    store, cache = opened
    frames, rows = store.load("val")
    clips = split_dataset(cache, "val", spec_of(store, classes=("right", "left")))
    assert len(clips) == len(rows)
    assert clips.labels.tolist() == [["right", "left"].index(row.label) for row in rows]
    one, label = clips[3]
    assert one.dtype == torch.uint8
    assert (one.numpy() == np.minimum(frames[3], 2)).all()
    assert label == clips.labels[3]
    batch, labels = clips.__getitems__([3, 0])
    assert torch.equal(batch[0], one)
    assert labels.tolist() == clips.labels[[3, 0]].tolist()
    whole = clips.for_network(batch, torch.device("cpu"))
    assert whole.dtype == torch.float32
    assert torch.equal(whole.transpose(0, 1), torch.from_numpy(spec_of(store).fit(frames[[3, 0]])))


def test_a_label_that_the_model_does_not_know_and_a_split_without_clips(tmp_path, opened):
    store, cache = opened
    with pytest.raises(BadStore, match="train clips with labels the model does not know: right"):
        split_dataset(cache, "train", spec_of(store, classes=("left", "up")))
    few = FrameStore.open(small_store(tmp_path / "few", 2))
    with pytest.raises(BadStore, match="no clips in split val"):
        split_dataset(open_cache(few.path, few.digest, tmp_path), "val", spec_of(few))


def test_no_label_is_not_the_last_class(tmp_path):
    store = FrameStore.open(small_store(tmp_path / "s", labels=("left", None)))
    with pytest.raises(BadStore, match="does not know: None"):
        split_dataset(open_cache(store.path, store.digest, tmp_path), "train", spec_of(store))


@pytest.mark.parametrize("batch", [1, 7, 26, 100])
def test_in_order_gives_every_clip_once(opened, batch):
    store, cache = opened
    clips = split_dataset(cache, "train", spec_of(store))
    parts = list(in_order(clips, batch))
    assert torch.equal(torch.cat([labels for _, labels in parts]), clips.labels)
    assert torch.equal(torch.cat([frames for frames, _ in parts]), clips.__getitems__(range(len(clips)))[0])
    assert all(len(frames) == batch for frames, _ in parts[:-1])


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
    for (frames, labels), (others, numbers) in zip(found[0][0], found[2][0], strict=True):
        assert torch.equal(frames, others)
        assert torch.equal(labels, numbers)
    # the generator that dropout uses is left alone
    assert torch.equal(found[0][1], found[2][1])


def test_a_label_for_each_clip():
    with pytest.raises(ValueError, match="3 clips have 2 labels"):
        ClipDataset(ClipArray(np.zeros((3, 1, 2, 4, 4))), np.zeros(2, np.int64))
