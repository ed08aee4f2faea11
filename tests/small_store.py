"""A small frame store of random clips in all splits, in an order that mixes them."""

import numpy as np

from spikinghash.frames.open_store import create_store
from spikinghash.frames.schema import ClipRow, FrameMeta

LABELS = ("left", "right")


def small_store(folder, clips=40, kind="parquet", dtype="uint8", shape=(4, 16, 16), channels=2, seed=0, labels=LABELS):
    """A store whose clips have the kind of numbers that `dtype` is for; every fourth is for validation or test."""
    rng = np.random.default_rng(seed)
    steps, height, width = shape
    meta = FrameMeta(steps, height, width, dtype, channels=channels)
    with create_store(folder, meta, kind) as out:
        for i in range(clips):
            if dtype == "float32":
                counts = rng.normal(size=meta.shape).astype(np.float32)
            else:
                counts = rng.poisson(0.4, meta.shape).astype(dtype)
                counts[..., 8 * (i % 2) : 8 * (i % 2) + 8] *= 3
            events = int(np.abs(counts).sum())
            split = ("train", "train", "val", "train", "train", "test")[i % 6]
            row = ClipRow(f"{i:04}", f"{i:04}", labels[i % len(labels)], split, 0, 999, events, events, {}, f"{i:064x}")
            out.add(row, counts)
    return folder
