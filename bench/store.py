"""A synthetic store of event clips of a given size: `python bench/store.py FOLDER --gb 2`.

Sparse counts of clips [4, 2, 128, 128], of ten classes; one clip in sixteen is for validation. Clips are a hundred
drawn ones, shifted by their number, so that few are alike and none takes long.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from spikinghash.data.described import event_field
from spikinghash.data.open_store import create_store
from spikinghash.data.sample_row import SampleRow
from spikinghash.data.sample_spec import SampleSpec
from spikinghash.frames.account import EventAccount
from spikinghash.frames.frame_meta import FrameMeta

META = FrameMeta(4, 128, 128, "uint8")
CLASSES = tuple("0123456789")
_DRAWN = 100


def make_store(folder: Path, size: float) -> int:
    """Write a store of `size` bytes of counts, before compression; returns the number of clips."""
    rng = np.random.default_rng(0)
    drawn = (rng.random((_DRAWN, *META.shape)) < 0.05) * rng.integers(1, 9, (_DRAWN, *META.shape))
    counts, events = drawn.astype(np.uint8), drawn.sum((1, 2, 3, 4))
    clips = int(size) // META.clip_bytes
    with create_store(folder, SampleSpec({"events": event_field(META)}), "parquet") as out:
        for i in range(clips):
            name, split, many = f"{i:09}", "train" if i % 16 else "val", int(events[i % _DRAWN])
            accounts = {"events": EventAccount(0, 999_999, many, many, {})}
            row = SampleRow(name, name, (CLASSES[i % 10],), split, name, f"{i:064x}", accounts)
            out.add(row, {"events": np.roll(counts[i % _DRAWN], i // _DRAWN % 128, axis=2)})
    return clips


def main() -> None:
    """Print clips and seconds."""
    parser = argparse.ArgumentParser(description="a synthetic store of event clips")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--gb", type=float, default=2.0)
    asked = parser.parse_args()
    started = time.monotonic()
    clips = make_store(asked.folder, asked.gb * 1e9)
    print(f"{clips} clips, {asked.gb} GB before compression, in {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main()
