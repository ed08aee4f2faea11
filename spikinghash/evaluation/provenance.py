"""What was compared with what: the part of a result that says where its numbers come from."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from spikinghash.codes.codeset import CodeSet
from spikinghash.data.described import digest_of
from spikinghash.data.store import SampleStore
from spikinghash.training.checkpoint import LoadedModel


def describe_task(
    queries: CodeSet, gallery: CodeSet, model: LoadedModel, store: SampleStore, *, splits: tuple[str, Collection[str]]
) -> dict[str, Any]:
    """Sizes, splits (query split, database splits), seed and digests, JSON-ready."""
    return {
        "queries": len(queries),
        "database": len(gallery),
        "bits": queries.bits,
        "classes": list(model.spec.classes),
        "query_split": splits[0],
        "database_splits": list(splits[1]),
        "seed": model.card["training"]["recipe"]["seed"],
        "data_digest": store.digest,
        "model_digest": model.digest,
        "frames_digest": digest_of(store.spec.fields[model.spec.modality]),
    }
