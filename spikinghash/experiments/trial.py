"""One trial: train one arm with one seed on a frame store, hash its test clips, and measure."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from spikinghash.allocator import keep_freed_memory
from spikinghash.codes.codeset import CodeSet
from spikinghash.codes.packing import pack
from spikinghash.evaluation.distance_histogram import distance_histogram
from spikinghash.evaluation.energy import SAMPLE, estimate_energy
from spikinghash.evaluation.metric import Empty
from spikinghash.evaluation.ndcg import cumulative_gain
from spikinghash.evaluation.retrieval import between
from spikinghash.evaluation.similar_classes import similar_classes
from spikinghash.evaluation.tie_aware import tied_average_precision
from spikinghash.experiments.time_order import CLASSES, forward_and_backward
from spikinghash.frames.store import FrameStore
from spikinghash.inference.read_bits import predict, read_bits
from spikinghash.methods.method import LossWeights, build
from spikinghash.methods.spec import ModelSpec
from spikinghash.training.data import load_tensors
from spikinghash.training.finish import finish
from spikinghash.training.loop import TrainingData, run
from spikinghash.training.recipe import Recipe
from spikinghash.training.seeds import seed_everything

#: Cut-off of ACG and NDCG, as in table XIII.
GAINS_AT = 100
_BATCH = 64


@dataclass(frozen=True)
class Trial:
    """All that a process needs to know, as plain values. `task` is "labels" or "time-order"."""

    arm: str
    frames: str
    task: str
    spec: ModelSpec
    weights: LossWeights
    recipe: Recipe
    empty: Empty = "zero"


def run_trial(trial: Trial) -> dict[str, Any]:
    """Train on the train split, choose the epoch on the validation split, measure test queries against both.

    Single-threaded and seeded by the recipe: the same trial gives the same numbers.
    """
    torch.set_num_threads(1)
    keep_freed_memory()
    store = FrameStore.open(Path(trial.frames))
    spec = trial.spec
    parts = {split: load_tensors(store, split, spec) for split in ("train", "val", "test")}
    if trial.task == "time-order":
        spec = replace(spec, classes=CLASSES)
        parts = {split: forward_and_backward(frames) for split, (frames, _) in parts.items()}
    seed_everything(trial.recipe.seed)
    method = build(spec, trial.weights)
    started = time.monotonic()
    progress = run(
        method,
        TrainingData(*parts["train"], *parts["val"]),
        trial.recipe,
        lambda _record, _save: None,
        finish=lambda m: finish(m, spec),
    )
    seconds = time.monotonic() - started
    if progress.best is not None:
        method.network.load_state_dict(progress.best)  # type: ignore[union-attr]
    method.eval().requires_grad_(False)
    similar = similar_classes(store, ("train", "val")) if trial.task == "labels" else set()
    return {
        "arm": trial.arm,
        "seed": trial.recipe.seed,
        "train_seconds": seconds,
        "best_epoch": progress.best_epoch,
        "val_map": progress.best_score,
        **_measured(method, spec, parts, trial.empty, similar),
    }


def _measured(
    method: nn.Module,
    spec: ModelSpec,
    parts: dict[str, tuple[Tensor, Tensor]],
    empty: Empty,
    similar: set[frozenset[str]],
) -> dict[str, Any]:
    queries = _codes(method, spec, "query", *parts["test"])
    gallery = _codes(
        method, spec, "item", *(torch.cat(pair) for pair in zip(parts["train"], parts["val"], strict=True))
    )
    mean_ap = tied_average_precision(distance_histogram(between(queries, gallery)), empty=empty)
    gain = cumulative_gain(queries, gallery, GAINS_AT, similar)
    frames, labels = parts["test"]
    logits = torch.cat([predict(method, block.transpose(0, 1)) for block in frames.split(_BATCH)])
    energy = estimate_energy(method.network, frames[:SAMPLE].transpose(0, 1))  # type: ignore[arg-type]
    return {
        "map": mean_ap.value,
        "map_worst": mean_ap.worst,
        "map_best": mean_ap.best,
        "accuracy": float((logits.argmax(1) == labels).float().mean()),
        f"acg_at_{GAINS_AT}": gain.acg.value,
        f"ndcg_at_{GAINS_AT}": gain.ndcg.value,
        "energy_uj": energy.total_pj * 1e-6,
        "parameters": sum(p.numel() for p in method.network.parameters()),  # type: ignore[union-attr, misc]
        "queries": len(queries),
        "database": len(gallery),
    }


def _codes(method: nn.Module, spec: ModelSpec, kind: str, frames: Tensor, labels: Tensor) -> CodeSet:
    bits = torch.cat([read_bits(method, block.transpose(0, 1))[0] for block in frames.split(_BATCH)])
    N = len(bits)
    nothing, zeros = np.full(N, None, dtype=object), np.zeros(N, np.int64)
    return CodeSet(
        clip_ids=np.array([f"{kind}-{i:08d}" for i in range(N)], dtype=object),
        codes=pack(bits.numpy()),
        labels=np.array([spec.classes[i] for i in labels.tolist()], dtype=object),
        recordings=nothing,
        splits=nothing,
        start_us=zeros,
        end_us=zeros,
        model="trial",
        bits=spec.bits,
        version=0,
    )
