"""Speed of a training step and of encoding against plain SpikingJelly: `python bench/training.py [--size S] [--json]`.

The peer, `eager_spikinghash.py`, is the same network written with the library's own layers, with the same weights, run
as a user would: one process, torch's default threads. Ours runs as the project does: training in two workers under DDP
with one thread and half of the batch each, encoding with `Encoder`. Both take the same loss, gradient clipping and
AdamP.

Every side is a process of its own that waits while another one works. Rounds alternate and the best of each side
counts. Short rounds find quiet moments on a busy machine; a step after others' work finds cold caches, as no step
of a training does but the first (`--steps`). Two threads that wait for each other suffer more from other work on the
machine than two processes do, so a run in which the peer's default threads were slower than one thread is called
crowded and is never ok; the lines named "one thread" compare single cores and stay fair even then.

Codes may differ for one clip in hundreds: the peer's batch norm is one fused multiply-add and its wavelet divides where
ours multiplies, and a potential within a rounding error of its threshold then falls on the other side.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from awake_network import CLIP, LOADS, awake, make_clips, spec_of
from eager_spikinghash import EagerSpikinghash
from safetensors.torch import load_file, save_file
from side_process import Jobs, Side, best_seconds, free_port
from spikingjelly.activation_based import functional
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel

from spikinghash.allocator import keep_freed_memory
from spikinghash.codes.encoder import Encoder
from spikinghash.data.batch import labelled
from spikinghash.layers.firing import firing_rates
from spikinghash.losses.classification import classification
from spikinghash.losses.pairwise_likelihood import hard_similarity, pairwise_likelihood
from spikinghash.methods.frame_options import FrameOptions
from spikinghash.methods.method import build
from spikinghash.methods.spikinghash import SIZES
from spikinghash.training.batch_scheduling import schedule_as_batch
from spikinghash.training.checkpoint import LoadedModel
from spikinghash.training.optimizer_step import optimizer_step
from spikinghash.training.recipe import Recipe, make_optimiser

WEIGHTS = FrameOptions()
WORKERS = 2


def recipe(size: str) -> Recipe:
    """A rate that leaves the network where it is: a step costs the same."""
    return Recipe(epochs=1, batch=LOADS[size].batch, lr=1e-7, seed=0)


def eager_jobs(size: str, weights: Path, threads: int | None, steps: int) -> Jobs:
    """The peer: `train` and `encode`."""
    if threads:
        torch.set_num_threads(threads)
    spec, load = spec_of(size), LOADS[size]
    model = EagerSpikinghash(
        SIZES[size], bits=spec.bits, classes=len(spec.classes), steps=spec.input.steps,
        height=spec.input.height, width=spec.input.width, kind="atan",
    )  # fmt: skip
    model.load_state_dict(load_file(weights))
    optimiser = make_optimiser(model, recipe(size))
    counts, labels = make_clips(load.batch)
    frames, many = to_frames(counts), make_clips(load.encoded)[0]

    def step() -> None:
        functional.reset_net(model)
        bits, logits = model(frames)
        same = hard_similarity(labels)
        pairs = pairwise_likelihood(2.0 * bits - 1.0, same, same=same.bool())
        loss = WEIGHTS.alpha * pairs + WEIGHTS.beta * classification(logits, labels)
        optimizer_step(model, loss, optimiser, recipe(size).grad_clip)

    def train() -> None:
        # as in a training loop: once, not at every step
        if not model.training:
            model.train()
        for _ in range(steps):
            step()

    @torch.no_grad()
    def encode() -> np.ndarray:
        model.eval()
        parts = []
        for lo in range(0, load.encoded, Encoder.batch):
            functional.reset_net(model)
            parts.append(model(to_frames(many[lo : lo + Encoder.batch]))[0].to(torch.uint8).numpy())
        return np.packbits(np.concatenate(parts), axis=1)

    return {"encode": encode, "train": train}


def to_frames(counts: np.ndarray) -> Tensor:
    """Counts [N, T, 2, H, W] uint8 -> frames [T, N, 2, H, W] float32."""
    return torch.from_numpy(np.minimum(counts, CLIP)).float().transpose(0, 1)


def our_encoding(size: str, weights: Path, workers: int | None) -> Jobs:
    """`Encoder`, on `workers` threads (default: one a core)."""
    spec, load = spec_of(size), LOADS[size]
    method = build(spec)
    method.network.load_state_dict(load_file(weights))  # type: ignore[union-attr]
    # so many at a time that both threads have work
    encoder = Encoder(LoadedModel(spec, method.eval(), "", {}), min(Encoder.batch, load.encoded // 2), workers)
    many = make_clips(load.encoded)[0]

    def rates() -> float:
        with torch.no_grad(), firing_rates(method.network) as found:  # type: ignore[attr-defined]
            method.network(to_frames(many[: Encoder.batch]))  # type: ignore[operator]
        return sum(found.values()) / len(found)

    return {"encode": lambda: encoder.encode(many)[0], "rate": rates}


def our_training(size: str, weights: Path, rank: int, world: int, port: int, steps: int) -> Jobs:
    """One training worker, as `training/ray_trainer.py` sets it up."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    keep_freed_memory()
    method = build(spec_of(size))
    method.network.load_state_dict(load_file(weights))  # type: ignore[union-attr]
    optimiser = make_optimiser(method, recipe(size))
    if world > 1:
        address = f"tcp://127.0.0.1:{port}"
        torch.distributed.init_process_group("gloo", init_method=address, rank=rank, world_size=world)
        schedule_as_batch()
        method = DistributedDataParallel(method, forward_sync_buffers=False, gradient_as_bucket_view=True)
    counts, labels = make_clips(LOADS[size].batch)
    frames, classes = to_frames(counts)[:, rank::world].contiguous(), len(spec_of(size).classes)
    batch = labelled({"events": frames}, labels[rank::world], classes)

    def train() -> None:
        if not method.training:
            method.train()
        for _ in range(steps):
            optimizer_step(method, method(batch).loss, optimiser, recipe(size).grad_clip)

    return {"train": train}


def measure(size: str, rounds: int, steps: int, folder: Path) -> dict[str, Any]:
    """All sides on the same weights and clips."""
    before, load = round(os.getloadavg()[0], 1), LOADS[size]
    weights = folder / f"{size}.safetensors"
    save_file({k: v.contiguous() for k, v in awake(size).state_dict().items()}, weights)
    port, solo = free_port(), free_port()
    eager, eager_one = (Side(eager_jobs, (size, weights, threads, steps)) for threads in (None, 1))
    encoder, encoder_one = Side(our_encoding, (size, weights, None)), Side(our_encoding, (size, weights, 1))
    workers = Side(our_training, *((size, weights, rank, WORKERS, port, steps) for rank in range(WORKERS)))
    worker = Side(our_training, (size, weights, 0, 1, solo, steps))
    theirs, ours = eager.run("encode")[1], encoder.run("encode")[1]
    rate = encoder.run("rate")[1]
    sides = {
        "train, eager": (eager, "train"), "train, ours": (workers, "train"),
        "encode, eager": (eager, "encode"), "encode, ours": (encoder, "encode"),
        "train, eager, one thread": (eager_one, "train"), "train, ours, one thread": (worker, "train"),
        "encode, eager, one thread": (eager_one, "encode"), "encode, ours, one thread": (encoder_one, "encode"),
    }  # fmt: skip
    seconds = best_seconds(sides, rounds)
    for side in (eager, eager_one, encoder, encoder_one, workers, worker):
        side.close()
    clips = {name: steps * load.batch if job == "train" else load.encoded for name, (_, job) in sides.items()}
    training, encoding = (seconds[f"{job}, eager"] / seconds[f"{job}, ours"] for job in ("train", "encode"))
    crowded = any(seconds[f"{job}, eager"] > seconds[f"{job}, eager, one thread"] for job in ("train", "encode"))
    single = [seconds[f"{job}, eager, one thread"] / seconds[f"{job}, ours, one thread"] for job in ("train", "encode")]
    return {
        "network": size, "batch": load.batch, "encoded": load.encoded, "rounds": rounds, "steps": steps,
        "cores": os.cpu_count(),
        "mean_firing_rate": round(rate, 3), "distinct_codes": len(np.unique(ours, axis=0)),
        "equal_codes": float((theirs == ours).all(1).mean()),
        "equal_bits": float((np.unpackbits(theirs) == np.unpackbits(ours)).mean()),
        "load_before": before, "crowded": crowded,
        "ms_per_32_clips": {name: round(value / clips[name] * 32e3, 1) for name, value in seconds.items()},
        "training_ratio": round(training, 2), "training_target": load.training_target,
        "encoding_ratio": round(encoding, 2), "encoding_target": load.encoding_target,
        "training_ratio_one_thread": round(single[0], 2), "encoding_ratio_one_thread": round(single[1], 2),
        "ok": not crowded and training >= load.training_target and encoding >= load.encoding_target,
    }  # fmt: skip


def show(found: dict[str, Any]) -> None:
    """One line a side."""
    for name, value in found["ms_per_32_clips"].items():
        print(f"{found['network']:5} {name:28} {value:8.1f} ms per 32 clips")
    print(
        f"equal codes {found['equal_codes']:.3f}, equal bits {found['equal_bits']:.5f}, "
        f"mean firing rate {found['mean_firing_rate']}, load before {found['load_before']}"
    )
    for job in ("training", "encoding"):
        print(
            f"{job}: {found[f'{job}_ratio']} times faster (target {found[f'{job}_target']}), "
            f"one thread against one thread {found[f'{job}_ratio_one_thread']}"
        )
    if found["crowded"]:
        print("crowded: the peer's threads were slower than one thread; run again on a quiet machine")


def main() -> None:
    """Print one line a side, or one JSON document with `--json`."""
    parser = argparse.ArgumentParser(description="training and encoding speed against plain SpikingJelly")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--steps", type=int, default=1, help="in a training round; more are as warm as training is")
    parser.add_argument("--size", choices=LOADS, action="append")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = [measure(size, asked.rounds, asked.steps, Path(folder)) for size in asked.size or LOADS]
    if asked.json:
        print(json.dumps(found))
        return
    for one in found:
        show(one)


if __name__ == "__main__":
    main()
