"""Does the archive still find what it found? The recall of the pinned queries against an earlier night.

Codes do not change, so every clip that was found is found again at the same distance. If one is not, its row is lost,
its code is another one, or an index is damaged. What came later may stand before it in an answer, which is no loss: it
is left out before the first places are compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from spikinghash.codes.codeset import CodeSet
from spikinghash.codes.database import CodeDatabase
from spikinghash.errors import BadStore
from spikinghash.index.flat import HammingIndex
from spikinghash.index.searcher import Searcher, open_searcher
from spikinghash.nightly.earlier_nights import EarlierNight
from spikinghash.nightly.pinned_queries import PinnedQuery, as_json, pin

#: Queries with the lowest recall that are named.
_WORST = 3


def pinned_recall(
    folder: Path, database: CodeDatabase, codes: CodeSet, index: Path | None, earlier: EarlierNight | None, wanted: int,
    now: datetime,
) -> dict[str, Any] | None:  # fmt: skip
    """JSON for the night report, None where no query is pinned; `codes` are all codes of the model.

    The reference is what a query found in the night `earlier`, or when it was pinned. Each is asked through the `index`
    and from the table, as `spikinghash search` does, and its recall is the lower of both. `note` says why the index was
    of no use, `problem` why nothing could be asked, and then there are no figures.
    """
    try:
        queries = pin(folder, codes, wanted, now)
    except BadStore as error:
        return {"problem": str(error)}
    if not queries:
        return None
    then = _then(earlier)
    references = [then.get((query.id, query.code), query) for query in queries]
    table = Searcher([HammingIndex.over(codes)])
    through = open_searcher(database, codes.model, index)
    by_place = [_recalls(database, codes.model, references, searcher) for searcher in (through, table)]
    recalls = np.minimum(*by_place)
    order = np.argsort(recalls, kind="stable")
    return {
        "count": len(queries), "mean": float(recalls.mean()), "lowest": float(recalls.min()),
        "index": float(by_place[0].mean()), "table": float(by_place[1].mean()),
        "since": min(reference.since for reference in references), "note": through.note, "problem": None,
        "worst": [
            {"id": references[i].id, "recall": float(recalls[i])} for i in order[:_WORST].tolist() if recalls[i] < 1
        ],
        "queries": as_json([query.asked_again(table, now) for query in queries]),
    }  # fmt: skip


def _then(earlier: EarlierNight | None) -> dict[tuple[str, str], PinnedQuery]:
    """What the pinned queries found in an earlier night, by id and code; nothing where its report does not say."""
    pinned = None if earlier is None else earlier.report.get("pinned")
    try:
        queries = [PinnedQuery.checked(one) for one in (pinned or {}).get("queries", ())]
    except (AttributeError, TypeError, ValueError):
        return {}
    return {(query.id, query.code): query for query in queries}


def _recalls(database: CodeDatabase, model: str, references: Sequence[PinnedQuery], searcher: Searcher) -> np.ndarray:
    """The share of what each query found then that is in the first places now, without what came later; float64 [Q]."""
    found = []
    for reference in references:
        (hits,) = searcher.find(reference.codes, None, reference.reach)
        found.append([str(clip_id) for clip_id in hits.column("clip_id").to_pylist()])
    later = _later(database, model, references, found)
    recalls = []
    for reference, ids in zip(references, found, strict=True):
        then = set(reference.nearest)
        # a lost row that was hashed again is a late one, and yet what was found then
        known = [one for one in ids if one in then or one not in later[reference.since]]
        recalls.append(len(then.intersection(known[: len(then)])) / len(then))
    return np.array(recalls)


def _later(
    database: CodeDatabase, model: str, references: Sequence[PinnedQuery], found: Sequence[list[str]]
) -> Mapping[str, set[str]]:
    """Of what was found, the clips that were hashed at or after the time of its reference, by that time."""
    late = {}
    for since in {reference.since for reference in references}:
        pairs = zip(references, found, strict=True)
        ids = np.array(sorted({one for r, hits in pairs if r.since == since for one in hits}), dtype=object)
        late[since] = set(ids[database.committed_since(model, datetime.fromisoformat(since), ids)].tolist())
    return late
