"""Streamed training against training from memory: `python bench/streaming.py [--json] [--gb 2] [--gb 10] [--gb 20]`.

For each size a synthetic store (`bench/store.py`) and its cache are made, the kernel is told to forget the cache, and
two workers under DDP train Nano at 64 x 64 on it, as `training/ray_trainer.py` sets them up. The peer does the same
from an array of the first gigabyte of the clips in each worker's memory. Rounds alternate, the best of each side
counts; peak resident memory is that of the larger worker, beside that of workers on a tiny store. A line at the end
compares ways to read clips in random order.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from side_process import Jobs, Side, best_seconds, free_port
from store import CLASSES, META, make_store
from torch.nn.parallel import DistributedDataParallel

from spikinghash.allocator import keep_freed_memory
from spikinghash.data.batch import Batch
from spikinghash.data.dataset import Field, Prepare, SampleDataset
from spikinghash.data.described import event_field
from spikinghash.data.loader import Loader
from spikinghash.data.open_cache import open_cache
from spikinghash.data.order import EpochBatches, Ranks, generator_of
from spikinghash.data.samples import SampleArray
from spikinghash.files import sha256_file
from spikinghash.methods.method import build
from spikinghash.methods.model_input import ModelInput
from spikinghash.methods.spec import ModelSpec
from spikinghash.training.augment import Augmentation
from spikinghash.training.epoch import train_step
from spikinghash.training.recipe import Recipe, make_optimiser
from spikinghash.training.split_dataset import split_dataset
from spikinghash.training.state import Progress

WORKERS, BATCH, STEPS = 2, 32, 4
TINY_GB, IN_MEMORY = 0.02, 1e9
MOST_MB, SLOWEST = 1500, 0.9
SPEC = ModelSpec(
    "spikinghash", 64, CLASSES, {"events": ModelInput(event_field(META), 64, 64, 8)}, {"network_size": "Nano"}
)
RECIPE = Recipe(1, BATCH, 1e-7, 0, augmentation=Augmentation(2.5, 10.0, 0.1, 0.3))


def forever(loader: Loader) -> Iterator[Batch]:
    """Batches of one epoch after the other."""
    epoch = 0
    while True:
        loader.batches.start(epoch)
        yield from loader
        epoch += 1


def job(
    store: Path, digest: str, folder: Path, in_memory: bool, loader_workers: int, rank: int, port: int
) -> Jobs:  # fmt: skip
    """One training worker: `train` a few steps, `peak` resident bytes so far."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    keep_freed_memory()
    address = f"tcp://127.0.0.1:{port}"
    torch.distributed.init_process_group("gloo", init_method=address, rank=rank, world_size=WORKERS)
    clips = split_dataset(open_cache(store, digest, folder), "train", SPEC)
    if in_memory:
        first = range(min(len(clips), int(IN_MEMORY / META.clip_bytes)))
        held = SampleArray(clips.fields["events"].samples.read(first))
        clips = SampleDataset(
            {"events": Field(held, Prepare(SPEC.input.fit_stored, SPEC.input.to_input))}, clips.labels.part(first)
        )
    own = build(SPEC).train()
    optimiser, progress, draws = make_optimiser(own, RECIPE), Progress(), generator_of(0, 0, 1 + rank)
    method = DistributedDataParallel(own, forward_sync_buffers=False, gradient_as_bucket_view=True)
    loader = Loader(clips, EpochBatches(len(clips), BATCH, 0, Ranks(rank, WORKERS)), loader_workers)
    batches = forever(loader)

    def train() -> None:
        for _ in range(STEPS):
            train_step(method, clips, next(batches), RECIPE, optimiser, progress, draws)

    return {"train": train, "peak": peak_bytes}


def peak_bytes() -> int:
    """Largest resident memory of this process so far."""
    (kilobytes,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(kilobytes) * 1024


def forget(path: Path) -> None:
    """Ask the kernel to drop what it keeps of a file."""
    os.sync()
    handle = os.open(path, os.O_RDONLY)
    os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(handle)


def measure(gb: float, rounds: int, loader_workers: int, folder: Path) -> dict[str, Any]:
    """Both sides on a store of so many gigabytes; alone the streaming one where it is the tiny store."""
    started = time.monotonic()
    clips = make_store(folder / "store", gb * 1e9)
    made, (store,) = time.monotonic(), (folder / "store").iterdir()
    digest = sha256_file(store)
    (folder / "cache").mkdir()
    copied = time.monotonic()
    cache = open_cache(store, digest, folder / "cache")
    facts = {
        "gb": gb, "clips": clips, "store_seconds": round(made - started, 1),
        "cache_seconds": round(time.monotonic() - copied, 1), "load_before": round(os.getloadavg()[0], 1),
    }  # fmt: skip
    sides = {}
    for name, in_memory in (("streamed", False), ("in memory", True)):
        port = free_port()
        arguments = store, digest, folder / "cache", in_memory, 0 if in_memory else loader_workers
        sides[name] = Side(job, *((*arguments, rank, port) for rank in range(WORKERS)))
    forget(cache.folder / "train-events.npy")
    seconds = best_seconds({name: (side, "train") for name, side in sides.items()}, rounds)
    peaks = {name: side.run("peak")[1] for name, side in sides.items()}
    for side in sides.values():
        side.close()
    rates = {name: round(STEPS * BATCH / value, 1) for name, value in seconds.items()}
    reading = (
        compare_reading(cache.folder / "train-events.npy", cache.splits["train"].inputs["events"].read)
        if gb >= 1
        else {}
    )
    shutil.rmtree(folder / "cache")
    shutil.rmtree(folder / "store")
    return facts | {
        "clips_per_s": rates, "share_of_memory_speed": round(rates["streamed"] / rates["in memory"], 3),
        "peak_mb": {name: round(peak / 1e6) for name, peak in peaks.items()}, "random_reads_mb_per_s": reading,
    }  # fmt: skip


def compare_reading(path: Path, read: Any) -> dict[str, int]:
    """Up to half a gigabyte of clips in random order, in batches, from the disk and then from the page cache."""
    mapped = np.load(path, mmap_mode="r")
    rows = np.random.default_rng(1).permutation(len(mapped))[: int(5e8 / META.clip_bytes)]
    found = {}
    for state in ("cold", "warm"):
        for name, take in (("pread, checked", read), ("memory map", lambda some: mapped[some])):
            if state == "cold":
                forget(path)
            started = time.monotonic()
            for first in range(0, len(rows), BATCH):
                take(rows[first : first + BATCH])
            found[f"{name}, {state}"] = round(len(rows) * META.clip_bytes / 1e6 / (time.monotonic() - started))
    return found


def main() -> None:
    """Print one line a size, or one JSON document with `--json`."""
    parser = argparse.ArgumentParser(description="streamed training against training from memory")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--gb", type=float, action="append")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--loader-workers", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where there is room for twice the largest size")
    asked = parser.parse_args()
    found = []
    for gb in (TINY_GB, *(asked.gb or [2.0])):
        with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
            found.append(measure(gb, asked.rounds, asked.loader_workers, Path(folder)))
    for one in found[1:]:
        one["over_tiny_mb"] = one["peak_mb"]["streamed"] - found[0]["peak_mb"]["streamed"]
        one["ok"] = one["over_tiny_mb"] <= MOST_MB and one["share_of_memory_speed"] >= SLOWEST
    if asked.json:
        print(json.dumps(found))
        return
    for one in found:
        speed, peak = one["clips_per_s"], one["peak_mb"]["streamed"]
        print(
            f"{one['gb']:5} GB: {speed['streamed']} clips/s streamed, {speed['in memory']} in memory, share "
            f"{one['share_of_memory_speed']} (target {SLOWEST}); peak a worker {peak} MB, "
            f"{one.get('over_tiny_mb', 0)} over the tiny store (target {MOST_MB})"
        )
        if one["random_reads_mb_per_s"]:
            print(f"random reads, MB/s: {one['random_reads_mb_per_s']}")


if __name__ == "__main__":
    main()
