"""One retrieval task: queries, a gallery in a fixed order, and what is relevant to what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikinghash.codes.codeset import CodeSet
from spikinghash.errors import ConfigError, StaleModel
from spikinghash.evaluation.hamming import hamming_distances
from spikinghash.evaluation.relevance import Relevance, given, same_label

#: Query-gallery pairs held at once unless told otherwise; a pair costs about 30 bytes while it is ranked.
PAIRS_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class Retrieval:
    """Q queries against N gallery codes, uint8 [Q, K/8] and [N, K/8].

    `order` int64 [N] lists the gallery in the order that breaks ties (by clip id); blocks come in that order.
    `block` is how many queries are ranked at once.
    """

    queries: NDArray[np.uint8]
    gallery: NDArray[np.uint8]
    relevance: Relevance
    order: NDArray[np.int64]
    block: int

    @property
    def bits(self) -> int:
        """K, the number of bits of a code."""
        return self.gallery.shape[1] * 8

    def blocks(self) -> Iterator[tuple[slice, NDArray[np.uint16], NDArray[np.bool_]]]:
        """Query ranges with their distances uint16 [q, N] and relevance bool [q, N], columns in tie order."""
        gallery = self.gallery[self.order]
        for start in range(0, len(self.queries), self.block):
            stop = min(start + self.block, len(self.queries))
            relevant = self.relevance(start, stop)
            if relevant.shape != (stop - start, len(gallery)):
                raise ConfigError(f"relevance is {list(relevant.shape)}; need {[stop - start, len(gallery)]}")
            yield slice(start, stop), hamming_distances(self.queries[start:stop], gallery), relevant[:, self.order]


def retrieval(
    queries: NDArray[np.uint8],
    gallery: NDArray[np.uint8],
    relevance: Relevance | NDArray[np.bool_],
    *,
    clip_ids: Sequence[str] | NDArray | None = None,
    query_ids: Sequence[str] | NDArray | None = None,
    allow_overlap: bool = False,
    block: int | None = None,
) -> Retrieval:
    """A retrieval task, checked.

    `clip_ids` [N] fix the order of ties; without them it is the order of the rows, as in a `CodeSet`.
    With `query_ids` [Q] too, a query that is also in the gallery is a `ConfigError`, unless `allow_overlap`:
    a clip that finds itself counts as a hit and lifts every number. `ConfigError` for no queries or no gallery.
    """
    if len(queries) == 0 or len(gallery) == 0:
        raise ConfigError(f"ranking needs queries and a gallery; there are {len(queries)} and {len(gallery)}")
    if block is not None and block < 1:
        raise ConfigError(f"block is {block}; it must be at least 1")
    order = np.arange(len(gallery), dtype=np.int64)
    if clip_ids is not None:
        if len(clip_ids) != len(gallery) or len(set(clip_ids)) != len(clip_ids):
            raise ConfigError(f"{len(set(clip_ids))} different clip ids for {len(gallery)} gallery codes")
        order = np.argsort(np.asarray(clip_ids, dtype=object), kind="stable")
        both = set() if query_ids is None else set(query_ids) & set(clip_ids)
        if both and not allow_overlap:
            raise ConfigError(f"{len(both)} queries are also in the gallery, for example {min(both)}")
    rule = given(relevance) if isinstance(relevance, np.ndarray) else relevance
    return Retrieval(queries, gallery, rule, order, block or max(1, PAIRS_AT_ONCE // len(gallery)))


def between(
    queries: CodeSet,
    gallery: CodeSet,
    relevance: Relevance | NDArray[np.bool_] | None = None,
    *,
    allow_overlap: bool = False,
    block: int | None = None,
) -> Retrieval:
    """The task of searching one set of codes for the clips of another; without `relevance`, by equal labels.

    `StaleModel` if the two come from different models, otherwise as `retrieval`.
    """
    if queries.model != gallery.model:
        raise StaleModel(f"queries of model {queries.model}, gallery of model {gallery.model}; encode both with one")
    return retrieval(
        queries.codes,
        gallery.codes,
        same_label(queries.labels, gallery.labels) if relevance is None else relevance,
        clip_ids=gallery.clip_ids,
        query_ids=queries.clip_ids,
        allow_overlap=allow_overlap,
        block=block,
    )
