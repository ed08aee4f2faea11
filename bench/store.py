"""A synthetic frame store of a given size: `python bench/store.py FOLDER --gb 2`.

Sparse counts of clips [4, 2, 128, 128], of ten classes; one clip in sixteen is for validation. Clips are a hundred
drawn ones, shifted by their number, so that few are alike and none takes long.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from spikinghash.frames.open_store import create_store
from spikinghash.frames.schema import ClipRow, FrameMeta

META = FrameMeta(4, 128, 128, "uint8")
CLASSES = tuple("0123456789")
_DRAWN = 100


def make_store(folder: Path, size: float) -> int:
    """Write a store of `size` bytes of counts, before compression; returns the number of clips."""
    rng = np.random.default_rng(0)
    drawn = (rng.random((_DRAWN, *META.shape)) < 0.05) * rng.integers(1, 9, (_DRAWN, *META.shape))
    counts, events = drawn.astype(np.uint8), drawn.sum((1, 2, 3, 4))
    clips = int(size) // META.clip_bytes
    with create_store(folder, META, "parquet") as out:
        for i in range(clips):
            split, label, many = "train" if i % 16 else "val", CLASSES[i % 10], int(events[i % _DRAWN])
            row = ClipRow(f"{i:09}", f"{i:09}", label, split, 0, 999_999, many, many, {}, f"{i:064x}")
            out.add(row, np.roll(counts[i % _DRAWN], i // _DRAWN % 128, axis=2))
    return clips


def main() -> None:
    """Print clips and seconds."""
    parser = argparse.ArgumentParser(description="a synthetic frame store")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--gb", type=float, default=2.0)
    asked = parser.parse_args()
    started = time.monotonic()
    clips = make_store(asked.folder, asked.gb * 1e9)
    print(f"{clips} clips, {asked.gb} GB before compression, in {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main()
