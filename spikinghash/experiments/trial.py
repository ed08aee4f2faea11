"""One trial: train one arm with one seed on a sample store, hash its test clips, and measure."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from spikinghash.allocator import keep_freed_memory
from spikinghash.codes.codeset import CodeSet
from spikinghash.codes.packing import pack
from spikinghash.data.batch import network_input
from spikinghash.data.cache_folder import cache_folder
from spikinghash.data.dataset import Field, Prepare, SampleDataset
from spikinghash.data.label_sets import LabelSets
from spikinghash.data.loader import in_order
from spikinghash.data.open_cache import open_cache
from spikinghash.data.store import SampleStore
from spikinghash.evaluation.distance_histogram import distance_histogram
from spikinghash.evaluation.energy import SAMPLE, estimate_energy
from spikinghash.evaluation.metric import Empty
from spikinghash.evaluation.ndcg import cumulative_gain
from spikinghash.evaluation.retrieval import between
from spikinghash.evaluation.similar_classes import similar_classes
from spikinghash.evaluation.tie_aware import tied_average_precision
from spikinghash.experiments.time_order import CLASSES, BothDirections, direction_labels
from spikinghash.inference.read_bits import predict, read_bits
from spikinghash.methods.class_numbers import class_numbers
from spikinghash.methods.method import build
from spikinghash.methods.spec import ModelSpec
from spikinghash.training.finish import finish
from spikinghash.training.loop import TrainingData, run
from spikinghash.training.recipe import Recipe
from spikinghash.training.seeds import seed_everything
from spikinghash.training.split_dataset import split_dataset

#: Cut-off of ACG and NDCG, as in table XIII.
GAINS_AT = 100
_BATCH = 64


@dataclass(frozen=True)
class Trial:
    """All that a process needs to know, as plain values. `task` is "labels" or "time-order"; `cache` the folder for the
    cache of the frames, None the user's.
    """

    arm: str
    frames: str
    task: str
    spec: ModelSpec
    recipe: Recipe
    empty: Empty = "zero"
    cache: str | None = None


def run_trial(trial: Trial) -> dict[str, Any]:
    """Train on the train split, choose the epoch on the validation split, measure test queries against both.

    Single-threaded and seeded by the recipe: the same trial gives the same numbers.
    """
    torch.set_num_threads(1)
    keep_freed_memory()
    store = SampleStore.open(Path(trial.frames))
    spec = trial.spec
    cache = open_cache(store.path, store.digest, cache_folder(trial.cache, Path(".runs/cache")))
    parts = {split: split_dataset(cache, split, spec) for split in ("train", "val", "test")}
    if trial.task == "time-order":
        spec = replace(spec, classes=CLASSES)
        parts = {split: _both_directions(one, spec) for split, one in parts.items()}
    seed_everything(trial.recipe.seed)
    method = build(spec)
    started = time.monotonic()
    progress = run(
        method,
        TrainingData(parts["train"], parts["val"]),
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
    parts: dict[str, SampleDataset],
    empty: Empty,
    similar: set[frozenset[str]],
) -> dict[str, Any]:
    queries = _codes(method, spec, "query", parts["test"])
    gallery = _codes(method, spec, "item", parts["train"], parts["val"])
    mean_ap = tied_average_precision(distance_histogram(between(queries, gallery)), empty=empty)
    gain = cumulative_gain(queries, gallery, GAINS_AT, similar)
    labels = class_numbers(parts["test"].labels.targets())
    logits = torch.cat([predict(method, block) for block in _blocks(method, parts["test"], _BATCH)])
    energy = estimate_energy(method.network, next(_blocks(method, parts["test"], SAMPLE)))  # type: ignore[arg-type]
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


def _both_directions(one: SampleDataset, spec: ModelSpec) -> SampleDataset:
    """The clips of a data set, forward and backward."""
    clips = BothDirections(one.fields["events"].samples)
    labels = LabelSets.single(direction_labels(len(one)), len(CLASSES))
    return SampleDataset({"events": Field(clips, Prepare(spec.input.fit_stored, spec.input.to_input))}, labels)


def _blocks(method: nn.Module, clips: SampleDataset, batch: int) -> Iterator[Tensor]:
    """All clips as the network takes them, [T, <= batch, P, H, W] at a time."""
    modality: str = method.modality  # type: ignore[assignment]
    batches = (clips.for_method(read, torch.device("cpu")) for read in in_order(clips, batch))
    return (network_input(one.of(modality)) for one in batches)


def _codes(method: nn.Module, spec: ModelSpec, kind: str, *parts: SampleDataset) -> CodeSet:
    bits = torch.cat([read_bits(method, block)[0] for clips in parts for block in _blocks(method, clips, _BATCH)])
    N, labels = len(bits), torch.cat([class_numbers(clips.labels.targets()) for clips in parts])
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
