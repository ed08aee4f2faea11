"""Clips for tests of frame stores."""

import numpy as np

from spikinghash.frames.schema import ClipRow, FrameMeta

META = FrameMeta(steps=2, height=3, width=4, dtype="uint8", config={"binning": "test"})


def clip(meta, number, split="train", label="a", dropped=None):
    rng = np.random.default_rng(number)
    counts = rng.integers(0, 200, size=meta.shape).astype(meta.dtype)
    framed, dropped = int(counts.sum()), dropped or {}
    row = ClipRow(
        clip_id=f"r{number}@0-9",
        recording_id=f"r{number}",
        label=label,
        split=split,
        start_us=0,
        end_us=9,
        events_in=framed + sum(dropped.values()),
        events_framed=framed,
        dropped=dropped,
        sha256="0" * 64,
    )
    return row, counts
