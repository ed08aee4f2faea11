"""One trial: train one arm with one seed on a sample store, hash test clips of it and of others, and measure."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from spikinghash.allocator import keep_freed_memory
from spikinghash.data.batch import network_input
from spikinghash.data.cache_folder import cache_folder
from spikinghash.data.dataset import Field, Prepare, SampleDataset
from spikinghash.data.label_sets import LabelSets
from spikinghash.data.loader import in_order
from spikinghash.data.of_classes import StoreOfClasses, cache_of_classes
from spikinghash.data.open_cache import SampleCache, open_cache
from spikinghash.data.store import SampleSource, SampleStore
from spikinghash.evaluation.energy import SAMPLE, estimate_energy
from spikinghash.evaluation.metric import Empty
from spikinghash.evaluation.ndcg import cumulative_gain
from spikinghash.evaluation.similar_classes import similar_classes
from spikinghash.experiments.searched import DATABASE, QUERIES, Searched, beside, codes_of, not_trained_on, ranking
from spikinghash.experiments.time_order import CLASSES, BothDirections, direction_labels
from spikinghash.inference.read_bits import predict
from spikinghash.methods.class_numbers import class_numbers
from spikinghash.methods.method import build
from spikinghash.methods.spec import ModelSpec
from spikinghash.methods.supervised import SupervisedMethod
from spikinghash.training.finish import finish
from spikinghash.training.loop import TrainingData, run
from spikinghash.training.recipe import Recipe
from spikinghash.training.seeds import seed_everything
from spikinghash.training.split_dataset import split_dataset

#: Cut-off of ACG and NDCG, as in table XIII.
GAINS_AT = 100
_BATCH = 64
_CPU = torch.device("cpu")


@dataclass(frozen=True)
class Other:
    """A sample store that is searched and not trained on; `empty` as in `Trial`."""

    frames: str
    empty: Empty


@dataclass(frozen=True)
class Trial:
    """All that a process needs to know, as plain values. `task` is "labels" or "time-order"; `cache` the folder for the
    cache of the frames, None the user's. Clips of the classes `left_out` are searched on their own and neither trained
    nor validated on; `others` are further stores that are searched, by name.
    """

    arm: str
    frames: str
    task: str
    spec: ModelSpec
    recipe: Recipe
    empty: Empty = "zero"
    cache: str | None = None
    left_out: tuple[str, ...] = ()
    others: Mapping[str, Other] = field(default_factory=dict)


def run_trial(trial: Trial) -> dict[str, Any]:
    """Train on the train split, choose the epoch on the validation split, measure test queries against both.

    Single-threaded and seeded by the recipe: the same trial gives the same numbers. `searched` has what the model was
    trained on and what it was not, where the trial asks for that.
    """
    torch.set_num_threads(1)
    keep_freed_memory()
    cache, store = _opened(trial.frames, trial.cache)
    spec, trained = _trained_on(trial, cache, store)
    seed_everything(trial.recipe.seed)
    method = build(spec)
    started = time.monotonic()
    progress = run(
        method,
        TrainingData(trained.parts["train"], trained.parts["val"]),
        trial.recipe,
        lambda _record, _save: None,
        finish=lambda m: finish(m, spec),
    )
    seconds = time.monotonic() - started
    if progress.best is not None:
        method.network.load_state_dict(progress.best)  # type: ignore[union-attr]
    method.eval().requires_grad_(False)
    return {
        "arm": trial.arm,
        "seed": trial.recipe.seed,
        "train_seconds": seconds,
        "best_epoch": progress.best_epoch,
        "val_map": progress.best_score,
        **_measured(method, trained),
        **_searched(method, spec, trial, cache, store, trained),
    }


def _opened(frames: str, cache: str | None) -> tuple[SampleCache, SampleStore]:
    store = SampleStore.open(Path(frames))
    return open_cache(store.path, store.digest, cache_folder(cache, Path(".runs/cache"))), store


def _trained_on(trial: Trial, cache: SampleCache, store: SampleStore) -> tuple[ModelSpec, Searched]:
    """What is built, and the clips it is trained on and asked for."""
    spec, source = trial.spec, cast(SampleSource, store)
    if trial.left_out:
        kept = set(cache.classes) - set(trial.left_out)
        spec = replace(spec, classes=tuple(name for name in spec.classes if name in kept))
        cache, source = cache_of_classes(cache, kept), StoreOfClasses(store, kept)
    parts = {split: split_dataset(cache, split, spec) for split in ("train", "val", "test")}
    if trial.task == "time-order":
        spec = replace(spec, classes=CLASSES)
        return spec, Searched({k: _both_directions(one, spec) for k, one in parts.items()}, CLASSES, None, trial.empty)
    return spec, Searched(parts, spec.classes or cache.classes, source, trial.empty)


def _measured(method: nn.Module, trained: Searched) -> dict[str, Any]:
    queries, gallery = codes_of(method, trained)
    similar = set() if trained.source is None else similar_classes(trained.source, DATABASE)
    gain = cumulative_gain(queries, gallery, GAINS_AT, similar)
    network: Any = method.network
    return {
        **ranking(queries, gallery, trained.empty),
        "accuracy": _accuracy(method, trained.parts[QUERIES]),
        f"acg_at_{GAINS_AT}": gain.acg.value,
        f"ndcg_at_{GAINS_AT}": gain.ndcg.value,
        "energy_uj": estimate_energy(network, next(_inputs(method, trained.parts[QUERIES], SAMPLE))).total_pj * 1e-6,
        # what a closed form found are buffers
        "parameters": sum(x.numel() for x in list(network.parameters()) or network.buffers()),
    }


def _searched(
    method: nn.Module, spec: ModelSpec, trial: Trial, cache: SampleCache, store: SampleStore, trained: Searched
) -> dict[str, Any]:
    there: dict[str, Searched] = {}
    if trial.left_out:
        source = StoreOfClasses(store, trial.left_out)
        there["left out"] = not_trained_on(cache_of_classes(cache, trial.left_out), spec, source, trial.empty)
    for name, other in trial.others.items():
        clips, stored = _opened(other.frames, trial.cache)
        there[name] = not_trained_on(clips, spec, stored, other.empty)
    if not there:
        return {}
    found = []
    for name, one in {"trained on": trained, **there}.items():
        codes = codes_of(method, one)
        found.append({"clips": name, **ranking(*codes, one.empty), **beside(*codes, one)})
    return {"searched": found}


def _both_directions(one: SampleDataset, spec: ModelSpec) -> SampleDataset:
    """The clips of a data set, forward and backward."""
    clips = BothDirections(one.fields["events"].samples)
    labels = LabelSets.single(direction_labels(len(one)), len(CLASSES))
    return SampleDataset({"events": Field(clips, Prepare(spec.input.fit_stored, spec.input.to_input))}, labels)


def _accuracy(method: nn.Module, clips: SampleDataset) -> float | None:
    """Share of clips that are classified rightly; None for a method without a classifier."""
    if not isinstance(method, SupervisedMethod):
        return None
    logits = torch.cat([predict(method, block) for block in _inputs(method, clips, _BATCH)])
    return float((logits.argmax(1) == class_numbers(clips.labels.targets())).float().mean())


def _inputs(method: nn.Module, clips: SampleDataset, batch: int) -> Iterator[Any]:
    """All clips as the network takes them: frames [T, <= batch, P, H, W], or inputs by modality."""
    for read in in_order(clips, batch):
        inputs: Mapping[str, Tensor] = clips.for_method(read, _CPU).inputs
        yield network_input(inputs[method.modality]) if isinstance(method, SupervisedMethod) else inputs
