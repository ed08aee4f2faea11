"""Speed of a training step and of encoding against plain SpikingJelly: `python bench/training.py [--json]`.

The peer, `eager_spikinghash.py`, is the same network written with the library's own layers, with the same weights, run
as a user would: one process, torch's default threads. Ours runs as the project does: training in two workers with
one thread and half of the batch each, encoding with `Encoder`. Both take the same loss, gradient clipping and AdamP.

Every side is a process of its own that waits while another one works. Rounds alternate and the best of each side
counts. Two threads that wait for each other suffer more from other work on the machine than two processes do, so a run
in which the peer's default threads were slower than one thread is called crowded and is never ok; the lines named "one
thread" compare single cores and stay fair even then.

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
from awake_network import BATCH, CLIP, ENCODED, SPEC, awake, make_clips
from eager_spikinghash import EagerSpikinghash
from pytorch_optimizer import AdamP
from safetensors.torch import load_file, save_file
from side_process import Jobs, Side, best_seconds, free_port
from spikingjelly.activation_based import functional
from torch import Tensor, nn

from spikinghash.allocator import keep_freed_memory
from spikinghash.codes.encoder import Encoder
from spikinghash.layers.firing import firing_rates
from spikinghash.methods.losses import classification, hard_similarity, pairwise_likelihood
from spikinghash.methods.method import LossWeights, build
from spikinghash.methods.spikinghash import SIZES
from spikinghash.training.averaging import same_start
from spikinghash.training.checkpoint import LoadedModel
from spikinghash.training.descend import descend
from spikinghash.training.recipe import Recipe, make_optimiser
from spikinghash.training.shared_mean import SharedMean

TRAINING_TARGET, ENCODING_TARGET = 5.0, 8.0
WEIGHTS = LossWeights()
#: A rate that leaves the network where it is: a step costs the same.
RECIPE = Recipe(epochs=1, batch=BATCH, lr=1e-7, seed=0)
WORKERS = 2
#: Steps of one training round; short rounds find quiet moments on a busy machine.
STEPS = 1


def descend_plainly(loss: Tensor, model: nn.Module, optimiser: torch.optim.Optimizer) -> None:
    """Backward, clip, step, as `training/descend.py` does, with the library's calls."""
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), RECIPE.grad_clip)
    optimiser.step()


def eager_jobs(weights: Path, threads: int | None) -> Jobs:
    """The peer: `codes` [N, K/8], `train` and `encode`."""
    if threads:
        torch.set_num_threads(threads)
    classes = len(SPEC.classes)
    model = EagerSpikinghash(
        SIZES[SPEC.size], bits=SPEC.bits, classes=classes, steps=SPEC.steps, height=SPEC.height, width=SPEC.width,
        kind=SPEC.surrogate,
    )  # fmt: skip
    model.load_state_dict(load_file(weights))
    # the library's step, not our kernel for it
    optimiser = AdamP(make_optimiser(model, RECIPE).param_groups, lr=RECIPE.lr)
    counts, labels = make_clips(BATCH)
    frames, many = to_frames(counts), make_clips(ENCODED)[0]

    def step() -> None:
        functional.reset_net(model)
        bits, logits = model(frames)
        same = hard_similarity(labels)
        pairs = pairwise_likelihood(2.0 * bits - 1.0, same, same=same.bool())
        loss = WEIGHTS.alpha * pairs + WEIGHTS.beta * classification(logits, labels)
        descend_plainly(loss, model, optimiser)

    def train() -> None:
        # as in a training loop: once, not at every step
        if not model.training:
            model.train()
        for _ in range(STEPS):
            step()

    @torch.no_grad()
    def encode() -> np.ndarray:
        model.eval()
        parts = []
        for lo in range(0, ENCODED, Encoder.batch):
            functional.reset_net(model)
            parts.append(model(to_frames(many[lo : lo + Encoder.batch]))[0].to(torch.uint8).numpy())
        return np.packbits(np.concatenate(parts), axis=1)

    return {"encode": encode, "train": train}


def to_frames(counts: np.ndarray) -> Tensor:
    """Counts [N, T, 2, H, W] uint8 -> frames [T, N, 2, H, W] float32."""
    return torch.from_numpy(np.minimum(counts, CLIP)).float().transpose(0, 1)


def our_encoding(weights: Path, workers: int | None) -> Jobs:
    """`Encoder`, on `workers` threads (default: one a core)."""
    method = build(SPEC, WEIGHTS)
    method.network.load_state_dict(load_file(weights))  # type: ignore[attr-defined]
    encoder = Encoder(LoadedModel(SPEC, method.eval(), "", {}), workers=workers)
    many = make_clips(ENCODED)[0]

    def rates() -> float:
        with torch.no_grad(), firing_rates(method.network) as found:  # type: ignore[attr-defined]
            method.network(to_frames(many[: Encoder.batch]))  # type: ignore[attr-defined]
        return sum(found.values()) / len(found)

    return {"encode": lambda: encoder.encode(many)[0], "rate": rates}


def our_training(weights: Path, rank: int, world: int, port: int) -> Jobs:
    """One training worker, as `training/ray_trainer.py` sets it up."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    keep_freed_memory()
    method = build(SPEC, WEIGHTS)
    method.network.load_state_dict(load_file(weights))  # type: ignore[attr-defined]
    optimiser = make_optimiser(method, RECIPE)
    average = None
    if world > 1:
        address = f"tcp://127.0.0.1:{port}"
        torch.distributed.init_process_group("gloo", init_method=address, rank=rank, world_size=world)
        same_start(method)
        average = SharedMean()
    counts, labels = make_clips(BATCH)
    frames, labels = to_frames(counts)[:, rank::world].contiguous(), labels[rank::world]

    def train() -> None:
        if not method.training:
            method.train()
        for _ in range(STEPS):
            descend(method, method(frames, labels).loss, optimiser, RECIPE.grad_clip, average)

    return {"train": train}


def measure(rounds: int, folder: Path) -> dict[str, Any]:
    """All sides on the same weights and clips."""
    load = round(os.getloadavg()[0], 1)
    weights = folder / "weights.safetensors"
    save_file({k: v.contiguous() for k, v in awake().state_dict().items()}, weights)
    port, solo = free_port(), free_port()
    eager, eager_one = Side(eager_jobs, (weights, None)), Side(eager_jobs, (weights, 1))
    encoder, encoder_one = Side(our_encoding, (weights, None)), Side(our_encoding, (weights, 1))
    workers = Side(our_training, *((weights, rank, WORKERS, port) for rank in range(WORKERS)))
    worker = Side(our_training, (weights, 0, 1, solo))
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
    clips = {name: STEPS * BATCH if job == "train" else ENCODED for name, (_, job) in sides.items()}
    training, encoding = (seconds[f"{job}, eager"] / seconds[f"{job}, ours"] for job in ("train", "encode"))
    crowded = any(seconds[f"{job}, eager"] > seconds[f"{job}, eager, one thread"] for job in ("train", "encode"))
    single = [seconds[f"{job}, eager, one thread"] / seconds[f"{job}, ours, one thread"] for job in ("train", "encode")]
    return {
        "network": SPEC.size, "batch": BATCH, "encoded": ENCODED, "rounds": rounds, "cores": os.cpu_count(),
        "mean_firing_rate": round(rate, 3), "distinct_codes": len(np.unique(ours, axis=0)),
        "equal_codes": float((theirs == ours).all(1).mean()),
        "equal_bits": float((np.unpackbits(theirs) == np.unpackbits(ours)).mean()),
        "load_before": load, "crowded": crowded,
        "ms_per_32_clips": {name: round(value / clips[name] * 32e3, 1) for name, value in seconds.items()},
        "training_ratio": round(training, 2), "training_target": TRAINING_TARGET,
        "encoding_ratio": round(encoding, 2), "encoding_target": ENCODING_TARGET,
        "training_ratio_one_thread": round(single[0], 2), "encoding_ratio_one_thread": round(single[1], 2),
        "ok": not crowded and training >= TRAINING_TARGET and encoding >= ENCODING_TARGET,
    }  # fmt: skip


def main() -> None:
    """Print one line a side, or one JSON document with `--json`."""
    parser = argparse.ArgumentParser(description="training and encoding speed against plain SpikingJelly")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=15)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(asked.rounds, Path(folder))
    if asked.json:
        print(json.dumps(found))
        return
    for name, value in found["ms_per_32_clips"].items():
        print(f"{name:28} {value:8.1f} ms per 32 clips")
    print(
        f"equal codes {found['equal_codes']:.3f}, equal bits {found['equal_bits']:.5f}, "
        f"mean firing rate {found['mean_firing_rate']}, load before {found['load_before']}"
    )
    for job in ("training", "encoding"):
        print(
            f"{job}: {found[f'{job}_ratio']} times faster (target {found[f'{job}_target']:.0f}), "
            f"one thread against one thread {found[f'{job}_ratio_one_thread']}"
        )
    if found["crowded"]:
        print("crowded: the peer's threads were slower than one thread; run again on a quiet machine")


if __name__ == "__main__":
    main()
