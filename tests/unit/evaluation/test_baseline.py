"""The count-image baseline against a slow loop."""

import numpy as np
import pytest
from small_store import event_row, event_spec

from spikinghash.data.parquet_writer import ParquetWriter
from spikinghash.data.store import SampleStore
from spikinghash.errors import ConfigError
from spikinghash.evaluation.baseline import count_image_map
from spikinghash.frames.frame_meta import FrameMeta


@pytest.fixture
def store(tmp_path):
    rng = np.random.default_rng(3)
    with ParquetWriter(tmp_path, event_spec(FrameMeta(steps=2, height=5, width=4, dtype="uint8", config={}))) as writer:
        for i in range(40):
            split, label = ("train", "val", "test")[i % 3], "abc"[i % 3 if i < 20 else i % 2]
            counts = rng.poisson(1.0, (2, 2, 5, 4)).astype(np.uint8)
            total = int(counts.sum())
            writer.add(event_row(f"{i:02}", label, split, total), {"events": counts})
    return SampleStore.open(tmp_path)


def slow_map(store, query_split, database_splits):
    clips = {split: list(zip(*store.load(split, "events"), strict=True)) for split in ("train", "val", "test")}
    gallery = [clip for split in database_splits for clip in clips[split]]
    values = []
    for counts, row in clips[query_split]:
        a = np.log(1 + counts.sum(0).astype(float)).ravel()
        scored = []
        for other, other_row in gallery:
            b = np.log(1 + other.sum(0).astype(float)).ravel()
            scored.append((a @ b / np.sqrt((a @ a) * (b @ b)), other_row.label == row.label))
        scored.sort(key=lambda pair: -pair[0])
        hits, precisions = 0, []
        for rank, (_, relevant) in enumerate(scored, start=1):
            hits += relevant
            if relevant:
                precisions.append(hits / rank)
        values.append(np.mean(precisions) if precisions else 0.0)
    return np.mean(values)


def test_equals_the_slow_loop(store):
    found = count_image_map(store, "test", ["train", "val"], "zero")
    assert found == pytest.approx(slow_map(store, "test", ["train", "val"]), abs=1e-6)


def test_queries_without_a_class_mate_can_be_left_out(store):
    everything = count_image_map(store, "test", ["train"], "zero")
    some = count_image_map(store, "test", ["train"], "skip")
    assert some >= everything
    with pytest.raises(ConfigError):
        count_image_map(store, "test", ["train"], "guess")
