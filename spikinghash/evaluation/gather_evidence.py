"""One model measured on the fixed queries of a store, for the gate and for a reviewer."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import numpy as np

from spikinghash.codes.codeset import CodeSet
from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.encode_frames import encode_frames
from spikinghash.codes.encoder import Encoder
from spikinghash.data.store import SampleStore
from spikinghash.evaluation.bits import bit_health
from spikinghash.evaluation.distance_histogram import distance_histogram
from spikinghash.evaluation.energy import estimate_energy_of
from spikinghash.evaluation.gate import Evidence
from spikinghash.evaluation.measured import Measured
from spikinghash.evaluation.metric import Empty
from spikinghash.evaluation.retrieval import between
from spikinghash.evaluation.tie_aware import tied_bounds
from spikinghash.training.bit_balance import trained_ones
from spikinghash.training.checkpoint import LoadedModel

#: Queries that are hashed once more, in batches of a size that nothing else uses.
AGAIN, ODD_BATCH = 256, 7
#: What a description needs for a person to judge and repeat a training.
NEEDED = ("recipe", "history", "parameters", "seconds", "bit_ones")
#: Splits that a network learns from.
TRAINED_ON = ("train", "val")

Progress = Callable[[int, int], None]


def gather_evidence(
    model: LoadedModel, store: SampleStore, query_split: str, database_splits: Collection[str], empty: Empty,
    batch: int, progress: Progress | None = None,
) -> Measured:  # fmt: skip
    """Hash the store with `model` and measure its query split against the others; nothing is kept on disk.

    Raises `StaleModel` for a store that is not made as the model's was, `ConfigError` for splits without clips.
    """
    encoder = Encoder(model, batch)
    with tempfile.TemporaryDirectory() as folder:
        database = CodeDatabase.create_or_open(Path(folder, "codes"))
        encode_frames(store, encoder, database, progress)
        codes = database.load(model.digest)
    queries, gallery = codes.in_splits([query_split]), codes.in_splits(database_splits)
    health, trained = bit_health(gallery.codes), trained_ones(model.card, model.spec.bits)
    energy = estimate_energy_of(model, store, query_split)
    evidence = Evidence(
        model=model.digest,
        precision=tied_bounds(distance_histogram(between(queries, gallery)), empty=empty),
        labels=queries.labels,
        recordings=_keys(queries),
        energy_pj=energy.total_pj,
        dead_bits=len(health.dead) / codes.bits,
        drift=None if trained is None else float(np.abs(health.ones - trained).max()),
        differing=differing(model, store, query_split, queries),
        leaked=leaked(queries, codes),
        missing=missing(model.card.get("training")),
    )
    return Measured(evidence, queries, gallery, health, energy.hash_pj)


def differing(model: LoadedModel, store: SampleStore, split: str, codes: CodeSet) -> int:
    """How many of the first clips of a split get another code than in `codes` on one thread, in odd batches."""
    known = dict(zip(codes.clip_ids.tolist(), codes.codes, strict=True))
    for values, rows in store.iter_inputs(model.spec.modality, split, AGAIN):
        again, _ = Encoder(model, ODD_BATCH, 1).encode(values)
        first = np.stack([known[row.sample_id] for row in rows])
        return int((again != first).any(axis=1).sum())
    return 0


def leaked(queries: CodeSet, codes: CodeSet) -> int:
    """How many queries are clips of a recording, known by its contents, that is also in a split trained on."""
    there = np.isin(codes.splits.astype(str), TRAINED_ON)
    trained = _keys(codes)[there]
    return int(np.isin(_keys(queries), trained[trained != 0]).sum())


def missing(training: Any) -> tuple[str, ...]:
    """What the part `training` of a model's description lacks."""
    there = training if isinstance(training, dict) else {}
    return tuple(name for name in NEEDED if there.get(name) is None)


def _keys(codes: CodeSet) -> np.ndarray:
    """uint64 [N] of the recordings, each clip its own where none is known."""
    if codes.recording_keys is None:
        return np.arange(1, len(codes) + 1, dtype=np.uint64)
    return codes.recording_keys
