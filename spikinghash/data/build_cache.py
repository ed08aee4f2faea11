"""Writing a frame store's clips without compression, in one pass, into a folder that nobody reads yet."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from spikinghash.data.cache_header import (
    CacheHeader,
    SplitFiles,
    clips_path,
    labels_path,
    write_array,
    write_header,
)  # fmt: skip
from spikinghash.data.sample_file import checksums_of
from spikinghash.errors import BadStore
from spikinghash.files import flush
from spikinghash.frames.schema import FrameMeta
from spikinghash.frames.store import FrameStore
from spikinghash.schema import SPLITS

#: Clips are handed over so many bytes at a time.
_AT_ONCE = 16 * 1024**2


def cache_bytes(store: FrameStore) -> int:
    """Room that the cache of a store takes, in bytes."""
    clips = len(store.rows(None))
    # beside the clips a label and a checksum each, and headers
    return clips * (store.meta.clip_bytes + 8) + 8192


def build_cache(store: FrameStore, digest: str, draft: Path, watch: Callable[[int, int], Any] | None = None) -> None:
    """Fill the empty folder `draft` and have the disk keep it. `watch` is called with clips done and clips in all.

    Raises `BadStore` for damage, and where the store's digest is not `digest`.
    """
    if store.digest != digest:
        raise BadStore(f"{store.path}: changed while it was being used; run again")
    sizes = Counter(row.split for row in store.rows(None))
    numbers: dict[str | None, int] = {name: i for i, name in enumerate(store.classes)} | {None: -1}
    labels: dict[str, list[int]] = {split: [] for split in SPLITS}
    crc32: dict[str, list[int]] = {split: [] for split in SPLITS}
    done = 0
    with ExitStack() as stack:
        outs = {split: stack.enter_context(_create(draft, split, sizes[split], store.meta)) for split in SPLITS}
        for frames, rows in store.iter_batches(None, max(1, _AT_ONCE // store.meta.clip_bytes)):
            for clip, row in zip(frames.astype(_little_endian(store.meta), copy=False), rows, strict=True):
                data = clip.tobytes()
                outs[row.split].write(data)
                labels[row.split].append(numbers[row.label])
                crc32[row.split].append(zlib.crc32(data))
            done += len(rows)
            if watch is not None:
                watch(done, sizes.total())
    splits = {}
    for split in SPLITS:
        named = write_array(labels_path(draft, split), np.array(labels[split], np.int32))
        sums = write_array(draft / checksums_of(clips_path(draft, split)), np.array(crc32[split], np.uint32))
        splits[split] = SplitFiles(clips=sizes[split], labels_sha256=named, crc32_sha256=sums)
    for path in draft.iterdir():
        flush(path)
    write_header(draft, CacheHeader(store=digest, classes=store.classes, splits=splits))


def _create(draft: Path, split: str, clips: int, meta: FrameMeta) -> BinaryIO:
    """A file with the header that NumPy gives an array of all the clips to come."""
    file = clips_path(draft, split).open("wb")
    described = {"descr": _little_endian(meta).str, "fortran_order": False, "shape": (clips, *meta.shape)}
    np.lib.format.write_array_header_1_0(file, described)
    return file


def _little_endian(meta: FrameMeta) -> np.dtype[np.generic]:
    return np.dtype(meta.dtype).newbyteorder("<")
