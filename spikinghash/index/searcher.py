"""All codes of one model, ready to be searched: the index on disk, and what was committed after it was built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from spikinghash.codes.database import CodeDatabase
from spikinghash.errors import BadStore, ConfigError
from spikinghash.index.approximate import Approximate
from spikinghash.index.filters import Filters
from spikinghash.index.flat import HammingIndex
from spikinghash.index.manifest import MANIFEST_FILE


@dataclass
class Searcher:
    """Parts that together hold every clip once; `note` says why the index on disk was of no use, if it was not.

    `quick` searches the first part approximately. Damage within an index shows when its clips are read: then `reread`
    gives all codes without it, and `note` says so.
    """

    parts: list[HammingIndex]
    note: str | None = None
    quick: Approximate | None = None
    reread: Callable[[], HammingIndex] | None = None

    def __len__(self) -> int:
        return sum(len(part.clips) for part in self.parts)

    @property
    def bits(self) -> int:
        """Width of the codes."""
        return self.parts[0].manifest.bits

    def own(self, key: int) -> pa.Table:
        """The clips of one recording, by its `recording_key`; columns of `CLIP_ROWS`."""
        return self._or_without_index(
            lambda: pa.concat_tables([part.clips.take(part.clips.rows_of_recording(key)) for part in self.parts])
        )

    def find(
        self, codes: NDArray[np.uint8], k: int | None, radius: int | None = None, filters: Filters | None = None,
        with_codes: bool = False,
    ) -> list[pa.Table]:  # fmt: skip
        """For each query the k nearest clips, or all (k None) within `radius` bits, or the k nearest of those.

        `codes` is uint8 [Q, K/8]. Columns of `CLIP_ROWS` and `distance`, `with_codes` also `code` of K/8 bytes, ordered
        by (distance, clip id). `ConfigError` for neither k nor radius, for values out of range, and for a radius or
        filters where the search is approximate.
        """
        check_reach(k, radius)
        k = None if k is None else min(k, max(1, len(self)))
        radius = None if radius is None else min(radius, self.bits)
        if self.quick is not None and (k is None or radius is not None or filters not in (None, Filters())):
            raise ConfigError("an approximate search knows no radius and no filters; leave --approximate out")
        return self._or_without_index(lambda: self._find(codes, k, radius, filters or Filters(), with_codes))

    def _or_without_index(self, look: Callable[[], Any]) -> Any:
        try:
            return look()
        except BadStore as error:
            if self.reread is None:
                raise
            self.parts, self.note, self.quick, self.reread = [self.reread()], str(error), None, None
            return look()

    def _find(
        self, codes: NDArray[np.uint8], k: int | None, radius: int | None, filters: Filters, with_codes: bool
    ) -> list[pa.Table]:
        found: list[list[pa.Table]] = [[] for _ in codes]
        for number, part in enumerate(self.parts):
            if self.quick is not None and number == 0 and k is not None:
                hits = _quick(self.quick, codes, k)
            else:
                hits = _find(part, codes, k, self.bits if radius is None else radius, filters.rows(part.clips))
            # one look at the clips for all queries: they share row groups
            clips = part.clips.take(np.concatenate([np.empty(0, np.int64), *(rows for rows, _ in hits)]))
            done = 0
            for query, (rows, distances) in enumerate(hits):
                mine = clips.slice(done, len(rows)).append_column("distance", pa.array(distances, pa.int32()))
                if with_codes:
                    mine = mine.append_column("code", pa.array([x.tobytes() for x in part.codes[rows]], pa.binary()))
                found[query].append(mine)
                done += len(rows)
        order = [("distance", "ascending"), ("clip_id", "ascending")]
        answers = [pa.concat_tables(tables).sort_by(order).slice(0, k) for tables in found]
        for answer in answers:
            if pc.count_distinct(answer.column("clip_id")).as_py() != len(answer):
                raise BadStore("a clip is in the index and again in a file it does not cover; build the index again")
        return answers


def check_reach(k: int | None, radius: int | None) -> None:
    """`ConfigError` for k < 1, a negative radius, or neither of them."""
    if k is not None and k < 1:
        raise ConfigError(f"k is {k}; it must be at least 1")
    if radius is not None and radius < 0:
        raise ConfigError(f"radius is {radius}; it cannot be negative")
    if k is None and radius is None:
        raise ConfigError("a search needs k or a radius")


def open_searcher(
    database: CodeDatabase, model: str, folder: Path | None, version: int | None = None, approximate: bool = False
) -> Searcher:
    """The codes of `model`: from the index in `folder` and what came after it, or all read from the table.

    With `version` they are read as they were then. Else the newest, and the answer is the same either way: an index
    that is missing, damaged, of another model or older than a compaction only makes it slower. `StaleModel` where the
    database holds no codes of the model, `BadStore` where `approximate` finds no structure beside the index.
    """
    if version is not None:
        return Searcher([HammingIndex.over(database.load(model, version=version))])
    note = None
    if folder is not None and (folder / MANIFEST_FILE).exists():
        try:
            index = HammingIndex.load(folder)
        except BadStore as error:
            note = str(error)
        else:
            beyond = None
            if index.manifest.model == model and index.manifest.covers:
                known = index.manifest
                beyond = database.load_beyond(model, known.covers, known.rows, known.database_version)
            if beyond is not None:
                quick = Approximate.load(folder) if approximate else None
                parts = [index, *map(HammingIndex.over, beyond)]
                return Searcher(parts, None, quick, lambda: HammingIndex.over(database.load(model)))
            note = f"{folder} is not an index of all codes that are there now; build it with `spikinghash index`"
    if approximate:
        raise BadStore(
            f"an approximate search needs an index: {note or 'there is none'}; build it with `spikinghash index`"
        )
    return Searcher([HammingIndex.over(database.load(model))], note)


def _quick(quick: Approximate, codes: NDArray[np.uint8], k: int) -> list[tuple[NDArray[np.int64], NDArray[np.int32]]]:
    near = quick.search(codes, k)
    found = near.rows >= 0
    return [(near.rows[q][found[q]], near.distances[q][found[q]]) for q in range(len(codes))]


def _find(
    part: HammingIndex,
    codes: NDArray[np.uint8],
    k: int | None,
    radius: int,
    allowed: NDArray[np.bool_] | None,
) -> list[tuple[NDArray[np.int64], NDArray[np.int32]]]:
    """Rows and distances of each query, by (distance, row)."""
    if k is None:
        within = part.within(codes, radius, allowed=allowed)
        return [within.of(query) for query in range(len(codes))]
    near = part.search(codes, k, allowed=allowed)
    counts = [int(np.searchsorted(row, radius, "right")) for row in near.distances]
    return [(near.rows[q][:count], near.distances[q][:count]) for q, count in enumerate(counts)]
