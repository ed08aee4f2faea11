"""One set of clips that is searched: codes of any method, how they rank, and what no method at all achieves there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from spikinghash.codes.codeset import CodeSet
from spikinghash.codes.packing import pack
from spikinghash.data.dataset import Prepare, SampleDataset
from spikinghash.data.open_cache import SampleCache
from spikinghash.data.store import SampleSource
from spikinghash.evaluation.baseline import count_image_map
from spikinghash.evaluation.distance_histogram import distance_histogram
from spikinghash.evaluation.metric import Empty
from spikinghash.evaluation.retrieval import between
from spikinghash.evaluation.tie_aware import tied_average_precision
from spikinghash.methods.class_numbers import class_numbers
from spikinghash.methods.spec import ModelSpec
from spikinghash.training.read_bits import read_all_bits
from spikinghash.training.split_dataset import labelled_split

#: Test clips ask, the others are searched.
QUERIES, DATABASE = "test", ("train", "val")
_BATCH = 64


@dataclass(frozen=True)
class Searched:
    """Clips by split, with labels named `classes`; `source` has the same clips as they are stored, None where it has
    not. `empty` says what becomes of queries of classes that the database lacks.
    """

    parts: Mapping[str, SampleDataset]
    classes: tuple[str, ...]
    source: SampleSource | None
    empty: Empty


def not_trained_on(cache: SampleCache, spec: ModelSpec, source: SampleSource, empty: Empty) -> Searched:
    """Clips for a model that need not know their labels; `BadStore` where none ask, or none are searched."""
    prepared = {name: Prepare(one.fit_stored, one.to_input) for name, one in spec.inputs.items()}
    # a few clips may all be in one split of the database
    there = [split for split in (QUERIES, *DATABASE) if split != "val" or len(cache.splits[split])]
    parts = {split: labelled_split(cache, split, cache.classes, prepared) for split in there}
    return Searched(parts, cache.classes, source, empty)


def codes_of(method: nn.Module, searched: Searched) -> tuple[CodeSet, CodeSet]:
    """Codes of the queries and of what is searched."""
    parts, classes = searched.parts, searched.classes
    gallery = [parts[split] for split in DATABASE if split in parts]
    return _codes(method, classes, "query", parts[QUERIES]), _codes(method, classes, "item", *gallery)


def ranking(queries: CodeSet, gallery: CodeSet, empty: Empty) -> dict[str, Any]:
    """mAP, expected over ties and with the bounds of it, and how many clips there were."""
    found = tied_average_precision(distance_histogram(between(queries, gallery)), empty=empty)
    return {
        "map": found.value,
        "map_worst": found.worst,
        "map_best": found.best,
        "queries": len(queries),
        "database": len(gallery),
    }


def beside(queries: CodeSet, gallery: CodeSet, searched: Searched) -> dict[str, float]:
    """mAP of count images that nobody hashed, and `chance`: that of codes which are all equal, so of any order."""
    if searched.source is None:
        raise ValueError("there are no stored clips to compare with")
    asking, there = (replace(one, codes=np.zeros_like(one.codes)) for one in (queries, gallery))
    return {
        "count_image_map": count_image_map(searched.source, QUERIES, DATABASE, searched.empty),
        "chance": float(ranking(asking, there, searched.empty)["map"]),
    }


def _codes(method: nn.Module, classes: tuple[str, ...], kind: str, *parts: SampleDataset) -> CodeSet:
    (modality,) = {name for clips in parts for name in clips.fields}
    bits = torch.cat([read_all_bits(method, clips, _BATCH)[modality] for clips in parts])
    N, labels = len(bits), torch.cat([class_numbers(clips.labels.targets()) for clips in parts])
    nothing, zeros = np.full(N, None, dtype=object), np.zeros(N, np.int64)
    return CodeSet(
        clip_ids=np.array([f"{kind}-{i:08d}" for i in range(N)], dtype=object),
        codes=pack(bits.numpy()),
        labels=np.array([classes[i] for i in labels.tolist()], dtype=object),
        recordings=nothing,
        splits=nothing,
        start_us=zeros,
        end_us=zeros,
        model="trial",
        bits=bits.shape[1],
        version=0,
    )
