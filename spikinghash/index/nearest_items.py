"""What a sentence or a picture is about: a query of one modality against codes of another.

The model's description says what made its features, so that a query is encoded as the codes were, years later too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from spikinghash.codes.encoder import Encoder
from spikinghash.errors import ConfigError
from spikinghash.front_ends.front_end import Raw
from spikinghash.front_ends.table import rebuild
from spikinghash.index.filters import Filters
from spikinghash.index.rescore import SPARE, rescored
from spikinghash.index.searcher import Searcher, check_reach
from spikinghash.methods.model_input import ModelInput

#: Of a front end's description, what says how its input was put together.
_BESIDE = ("captions",)


@dataclass(frozen=True)
class ItemHit:
    """One code that was found: of which `item` and `modality`, `distance` in bits, where the item was read.

    `score` says how well its bits agree with the query's real scores, where that was asked for.
    """

    item: str
    modality: str
    distance: int
    label: str | None
    origin: str
    score: float | None = None


def nearest_items(
    queries: Sequence[Raw], modality: str, encoder: Encoder, codes: Searcher, k: int | None, *, to: str | None = None,
    radius: int | None = None, filters: Filters | None = None, rescore: bool = False,
) -> list[list[ItemHit]]:  # fmt: skip
    """For each query of `modality`, a text or the bytes of a picture, the k nearest items in the modality `to` (by
    default the other one), or all within `radius`; with `rescore` ordered by the real scores of the query, for which
    more than k are looked at.

    Files of front ends that a description does not hold, such as weights, are in `front_ends/<modality>` of the model's
    folder. Raises `ConfigError` for a modality that the model lacks, for features that nothing here makes, for k < 1
    and for a method without real scores; what front ends raise of bad input.
    """
    check_reach(k, radius)
    inputs = encoder.model.spec.inputs
    target = to or next((name for name in inputs if name != modality), modality)
    for name in (modality, target):
        if name not in inputs:
            raise ConfigError(f"the model knows {' and '.join(inputs)}, not {name}")
    home = encoder.model.folder or Path("models")
    features = _features(queries, inputs[modality], home / "front_ends" / modality)
    wanted = replace(filters or Filters(), modalities=(target,), seen=(target,))
    hashed, _ = encoder.encode_together({modality: features})[modality]
    if not rescore:
        return [_hits(table) for table in codes.find(hashed, k, radius, wanted)]
    scores = encoder.scores({modality: features})[modality]
    found = codes.find(hashed, None if k is None else SPARE * k, radius, wanted, with_codes=True)
    return [_hits(rescored(table, score).slice(0, k)) for table, score in zip(found, scores, strict=True)]


def _hits(found: pa.Table) -> list[ItemHit]:
    return [
        ItemHit(row["item"], row["modality"], row["distance"], row["label"], row["recording"], row.get("score"))
        for row in found.to_pylist()
    ]


def _features(queries: Sequence[Raw], one: ModelInput, folder: Path) -> np.ndarray:
    """[Q, D], in the type that the model's store had."""
    if any(isinstance(query, str | bytes) and not query.strip() for query in queries):
        raise ConfigError("the query is empty")
    described = {key: value for key, value in one.field.made_by.items() if key not in _BESIDE}
    front_end = rebuild(described, folder)
    if front_end.reads == "feature":
        raise ConfigError(
            "the model was trained on features that somebody gave; nothing here makes them of a new query: train it on "
            "those of a front end (docs/pairs.md)"
        )
    found = front_end(queries).astype(one.field.dtype)
    for query, row in zip(queries, found, strict=True):
        if isinstance(query, str) and not row.any():
            raise ConfigError(f"the model knows no word of {query[:80]!r}; ask in words that its training texts have")
    return found
