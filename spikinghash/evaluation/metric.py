"""A number and how it was made."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from spikinghash.errors import ConfigError
from spikinghash.evaluation.retrieval import Retrieval

#: What a query without a relevant item is worth: 0 in the mean, or left out of it.
Empty = Literal["zero", "skip"]


@dataclass(frozen=True)
class Metric:
    """A mean over queries. `protocol` says how it was made; `per_query` float64 [Q] is NaN where skipped.

    `worst` and `best` are the same number under the least and most favourable order of ties, where known.
    """

    name: str
    value: float
    protocol: Mapping[str, Any]
    per_query: NDArray[np.float64] = field(repr=False)
    worst: float | None = None
    best: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """For JSON: everything but the values per query."""
        bounds = {} if self.worst is None else {"worst": self.worst, "best": self.best}
        return {"name": self.name, "value": self.value, **bounds, "protocol": dict(self.protocol)}


def settle_empty(values: NDArray[np.float64], has_relevant: NDArray[np.bool_], empty: Empty) -> NDArray[np.float64]:
    """`values` [Q] with 0 (`zero`) or NaN (`skip`) where a query has nothing relevant, ready for `nanmean`.

    `ConfigError` if `empty` is neither, or if it skips every query.
    """
    if empty not in get_args(Empty):
        raise ConfigError(f"empty is {empty!r}; it must be one of {', '.join(get_args(Empty))}")
    if empty == "skip" and not has_relevant.any():
        raise ConfigError("no query has a relevant item, so there is nothing to average")
    return np.where(has_relevant, values, 0.0 if empty == "zero" else math.nan)


def protocol(task: Retrieval, values: NDArray[np.float64], empty: Empty, **said: Any) -> dict[str, Any]:
    """The part of a protocol that all metrics share, and what the metric says itself."""
    return {
        "queries": len(task.queries),
        "queries_averaged": int(np.isfinite(values).sum()),
        "database": len(task.gallery),
        "bits": task.bits,
        "empty": empty,
        **said,
    }
