"""A few queries fixed once for each model, and what they find: kept beside the reports, to be asked again later."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from spikinghash.codes.codeset import CodeSet
from spikinghash.errors import BadStore
from spikinghash.files import write_json
from spikinghash.index.flat import HammingIndex
from spikinghash.index.searcher import Searcher

#: Clips that a query finds, itself among them: where its own row is lost, that shows too.
K = 10


@dataclass(frozen=True)
class PinnedQuery:
    """A clip by its id, its code in hex, and what it found at `since` (UTC, ISO format): the ids of the nearest clips
    and the distance of the farthest of them in bits.
    """

    id: str
    code: str
    since: str
    nearest: list[str]
    reach: int

    @classmethod
    def checked(cls, content: Any) -> Self:
        """From JSON; `ValueError` or `TypeError` for what is none."""
        query = cls(**content)
        datetime.fromisoformat(query.since)
        bytes.fromhex(query.code)
        texts = [query.id, *query.nearest]
        if type(query.reach) is not int or query.reach < 0 or not all(isinstance(text, str) for text in texts):
            raise ValueError("a query has values of the wrong type")
        if not query.nearest:
            raise ValueError("a query found nothing")
        return query

    @property
    def codes(self) -> NDArray[np.uint8]:
        """The code as a search takes it, uint8 [1, K/8]."""
        return np.frombuffer(bytes.fromhex(self.code), np.uint8)[None]

    def asked_again(self, searcher: Searcher, now: datetime) -> PinnedQuery:
        """The same query with what it finds now."""
        (hits,) = searcher.find(self.codes, K)
        return PinnedQuery(self.id, self.code, now.isoformat(), *_found(hits))


def pin(folder: Path, codes: CodeSet, wanted: int, now: datetime) -> list[PinnedQuery]:
    """The pinned queries of a model, kept in `pinned-<digest>.json` in `folder`.

    The first night fixes them: one clip each of `wanted` recordings, in the order of the recordings' digests. While
    there are fewer, later nights add some. `BadStore` for a damaged file.
    """
    path = folder / f"pinned-{codes.model}.json"
    known = _read(path, codes.bits)
    rows = _free_rows(codes, {query.id for query in known})[: max(0, wanted - len(known))]
    if rows:
        hits = Searcher([HammingIndex.over(codes)]).find(codes.codes[rows], K)
        for row, found in zip(rows, hits, strict=True):
            code = codes.codes[row].tobytes().hex()
            known.append(PinnedQuery(str(codes.clip_ids[row]), code, now.isoformat(), *_found(found)))
        write_json(path, {"model": codes.model, "queries": [asdict(query) for query in known]})
    return known[:wanted]


def as_json(queries: Sequence[PinnedQuery]) -> list[dict[str, Any]]:
    """As `PinnedQuery.checked` takes them."""
    return [asdict(query) for query in queries]


def _found(hits: Any) -> tuple[list[str], int]:
    return hits.column("clip_id").to_pylist(), max(hits.column("distance").to_pylist())


def _free_rows(codes: CodeSet, pinned: set[str]) -> list[int]:
    """The first clip of each recording that has no pinned query, in the order of the recordings' digests."""
    keys = np.arange(len(codes)) if codes.recording_keys is None else codes.recording_keys
    taken = set(keys[[clip_id in pinned for clip_id in codes.clip_ids]].tolist())
    values, first = np.unique(keys, return_index=True)
    return [int(row) for key, row in zip(values.tolist(), first, strict=True) if key not in taken]


def _read(path: Path, bits: int) -> list[PinnedQuery]:
    if not path.exists():
        return []
    try:
        queries = [PinnedQuery.checked(one) for one in json.loads(path.read_bytes())["queries"]]
        if any(query.codes.shape[1] * 8 != bits for query in queries):
            raise ValueError(f"a code has not {bits} bits")
    except (OSError, ValueError, KeyError, TypeError) as error:
        said = " ".join(str(error).split())
        raise BadStore(f"{path}: no pinned queries ({said}); delete the file, the next night pins anew") from None
    return queries
