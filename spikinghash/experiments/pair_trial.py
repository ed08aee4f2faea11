"""One method trained and measured once on a store of pairs, all in one process."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from spikinghash.allocator import keep_freed_memory
from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.encode_frames import encode_frames
from spikinghash.codes.encoder import Encoder
from spikinghash.data.cache_folder import cache_folder
from spikinghash.data.open_cache import open_cache
from spikinghash.data.store import SampleStore
from spikinghash.evaluation.directions import Found, directions_of, evaluate_directions
from spikinghash.evaluation.pair_energy import pair_energy
from spikinghash.methods.spec import ModelSpec
from spikinghash.training.checkpoint import LoadedModel, load_model
from spikinghash.training.data import prepare
from spikinghash.training.finish import finish
from spikinghash.training.loop import EpochRecord, Save, run
from spikinghash.training.publish import publish
from spikinghash.training.recipe import Recipe

_BATCH = 512


@dataclass(frozen=True)
class PairTrial:
    """All of it as plain values; `cache` is the folder for the cache of the store, None the user's."""

    arm: str
    store: str
    spec: ModelSpec
    recipe: Recipe
    threads: int = 1
    cache: str | None = None


def run_pair_trial(trial: PairTrial) -> dict[str, Any]:
    """Train, hash and measure: test queries, everything else searched, and what was not trained on where there is some.

    The model is the last epoch's, or the one that validates best, as the recipe says; queries are not looked at before.
    """
    torch.set_num_threads(trial.threads)
    keep_freed_memory()
    store = SampleStore.open(Path(trial.store))
    cache = open_cache(store.path, store.digest, cache_folder(trial.cache, Path(".runs/cache")))
    method, data = prepare(cache, trial.spec, trial.recipe)
    records: list[dict[str, Any]] = []

    def report(record: EpochRecord, _: Save | None) -> None:
        records.append(asdict(record))

    started = time.monotonic()
    progress = run(method, data, trial.recipe, report, finish=partial(finish, spec=trial.spec))
    seconds = time.monotonic() - started
    with tempfile.TemporaryDirectory() as folder:
        publish(Path(folder, "model"), trial.spec, method, progress, trial.recipe, records, data.train)
        model = load_model(Path(folder, "model"))
        searched, encode_seconds = _searched(store, model, Path(folder, "db"))
    return {
        "arm": trial.arm,
        "method": trial.spec.method,
        "variant": trial.spec.variant,
        "options": dict(trial.spec.options),
        "bits": trial.spec.bits,
        "seed": trial.recipe.seed,
        "epochs": len(records),
        "train_seconds": seconds,
        "encode_us": 1e6 * encode_seconds / len(store.rows(None)),
        "parameters": _numbers_of(model),
        "energy": pair_energy(model, store, "test"),
        "searched": {name: [_numbers(one) for one in found] for name, found in searched.items()},
        "last": {k: v for k, v in (records[-1] if records else {}).items() if k in ("loss", "parts", "distinct")},
    }


def _searched(store: SampleStore, model: LoadedModel, place: Path) -> tuple[Mapping[str, list[Found]], float]:
    database = CodeDatabase.create_or_open(place)
    started = time.monotonic()
    encode_frames(store, Encoder(model, _BATCH, 1), database)
    seconds = time.monotonic() - started
    codes = database.load(model.digest)
    queries, there = codes.in_splits(["test"]), set(codes.splits)
    splits = {"database": there - {"test"}, "not trained on": there & {"database"}}
    return {
        name: evaluate_directions(queries, codes.in_splits(some), directions_of(codes))
        for name, some in splits.items()
        if some
    }, seconds


def _numbers_of(model: LoadedModel) -> int:
    """All that is saved, whether gradients or a closed form made it."""
    network: Any = model.method.network
    return sum(x.numel() for x in network.state_dict().values())


def _numbers(found: Found) -> dict[str, Any]:
    return {
        "direction": found.direction.name,
        "seen": found.direction.seen,
        **{name: metric.value for name, metric in found.metrics.items()},
        "chance": found.chance,
    }
