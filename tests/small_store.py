"""A small store of random clips or pictures in all splits, in an order that mixes them."""

import numpy as np

from spikinghash.data.described import event_field
from spikinghash.data.open_store import create_store
from spikinghash.data.sample_row import SampleRow, labels_of
from spikinghash.data.sample_spec import FieldSpec, SampleSpec
from spikinghash.frames.account import EventAccount
from spikinghash.frames.frame_meta import FrameMeta

LABELS = ("left", "right")


def event_spec(meta):
    """Samples that are event clips alone."""
    return SampleSpec({"events": event_field(meta)})


def event_row(name, label, split, events, dropped=None, start_us=0, end_us=999, sha256="0" * 64):
    """The row of an event clip with so many events."""
    dropped = dropped or {}
    account = EventAccount(start_us, end_us, events + sum(dropped.values()), events, dropped)
    return SampleRow(name, name, labels_of(label), split, name, sha256, {"events": account})


def small_store(folder, clips=40, kind="parquet", dtype="uint8", shape=(4, 16, 16), seed=0, labels=LABELS):
    """A store whose clips have the kind of numbers that `dtype` is for; every fourth is for validation or test."""
    rng = np.random.default_rng(seed)
    meta = FrameMeta(*shape, dtype)
    with create_store(folder, event_spec(meta), kind) as out:
        for i in range(clips):
            counts = rng.normal(size=meta.shape) if dtype == "float32" else rng.poisson(0.4, meta.shape)
            if dtype != "float32":
                counts[..., 8 * (i % 2) : 8 * (i % 2) + 8] *= 3
            row = event_row(
                f"{i:04}", labels[i % len(labels)], _split(i), int(np.abs(counts).sum()), sha256=f"{i:064x}"
            )
            out.add(row, {"events": counts.astype(dtype)})
    return folder


def picture_store(folder, pictures=40, kind="parquet", side=(16, 16), seed=0, labels=LABELS):
    """A store of pictures of noise, one half of each brighter."""
    rng = np.random.default_rng(seed)
    field = FieldSpec("image", (3, *side), "uint8", {"picture": "as it is"})
    with create_store(folder, SampleSpec({"image": field}), kind) as out:
        for i in range(pictures):
            pixels = rng.integers(0, 128, field.shape).astype(np.uint8)
            pixels[..., 8 * (i % 2) : 8 * (i % 2) + 8] += 100
            name = f"{i:04}"
            label = labels_of(labels[i % len(labels)])
            out.add(SampleRow(name, name, label, _split(i), name, f"{i:064x}"), {"image": pixels})
    return folder


def _split(i):
    return ("train", "train", "val", "train", "train", "test")[i % 6]
