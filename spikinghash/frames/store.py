"""Reading a Parquet frame store: one row per clip, streamed or whole, damage detected by page checksums."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from spikinghash.errors import BadStore
from spikinghash.frames.columns import META_KEY, frame_schema, to_counts, to_rows
from spikinghash.frames.rows import Batch, ClipRow, FrameMeta
from spikinghash.frames.writer import FILE
from spikinghash.schema import SPLITS


class FrameStore:
    """A frame store opened for reading; build one with `FrameStore.open`. Fulfils `FrameSource`."""

    def __init__(self, path: Path, meta: FrameMeta) -> None:
        self.path = path
        self.meta = meta

    @classmethod
    def open(cls, folder: Path) -> FrameStore:
        """Open `<folder>/frames.parquet`; raises `BadStore` if it is missing, damaged or of another version."""
        path = folder / FILE
        with _one_clear_line(path), pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            described = (schema.metadata or {}).get(META_KEY)
            if described is None:
                raise ValueError("no description; it was not written by spikinghash")
            meta = FrameMeta.from_json(described)
            if not schema.equals(frame_schema(meta)):
                raise ValueError("its columns are not those of a frame store")
            return cls(path, meta)

    @cached_property
    def classes(self) -> list[str]:
        """Sorted names of all labels, over all splits; a class's number is its place."""
        return sorted({row.label for row in self.rows(None) if row.label is not None})

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the file, 64 hexadecimal digits: the digest of the data that a metric was computed on."""
        with _one_clear_line(self.path), self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def rows(self, split: str | None) -> list[ClipRow]:
        """Rows of a split (None: all) in stored order, without reading counts."""
        names = [name for name in frame_schema(self.meta).names if name != "counts"]
        return [row for table in self._tables(split, names) for row in to_rows(table)]

    def iter_batches(self, split: str | None, batch: int) -> Iterator[Batch]:
        """Yield counts [<= batch, T, 2, H, W] and their rows in stored order; only the last batch may be smaller.

        Holds about one row group in memory. Raises `BadStore` on damage, `ValueError` for a batch below 1 or a name
        that is no split.
        """
        if batch < 1:
            raise ValueError(f"a batch holds at least one clip, not {batch}")
        waiting: pa.Table | None = None
        for table in self._tables(split, None):
            waiting = table if waiting is None else pa.concat_tables([waiting, table])
            while waiting.num_rows >= batch:
                yield self._batch(waiting.slice(0, batch))
                waiting = waiting.slice(batch)
        if waiting is not None and waiting.num_rows:
            yield self._batch(waiting)

    def load(self, split: str | None) -> Batch:
        """Counts [N, T, 2, H, W] and rows of a whole split (None: all); errors as in `iter_batches`."""
        known = self.rows(split)
        counts = np.empty((len(known), *self.meta.shape), dtype=self.meta.dtype)
        done = 0
        for table in self._tables(split, ["split", "counts"]):
            counts[done : done + table.num_rows] = to_counts(table["counts"], self.meta)
            done += table.num_rows
        return counts, known

    def _batch(self, table: pa.Table) -> Batch:
        return to_counts(table["counts"], self.meta), to_rows(table)

    def _tables(self, split: str | None, columns: list[str] | None) -> Iterator[pa.Table]:
        """One table per row group that has rows of the split."""
        if split is not None and split not in SPLITS:
            raise ValueError(f"no split is called {split!r}; there are {', '.join(SPLITS)}")
        with _one_clear_line(self.path), pq.ParquetFile(self.path, page_checksum_verification=True) as file:
            for group in range(file.num_row_groups):
                chosen = None if split is None else pc.equal(file.read_row_group(group, ["split"])["split"], split)
                if chosen is not None and not pc.any(chosen).as_py():
                    continue
                table = file.read_row_group(group, columns)
                yield table if chosen is None else table.filter(chosen)


@contextmanager
def _one_clear_line(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise BadStore(f"there is no frame store {path}; run the stage ingest first") from error
    except (ValueError, OSError, pa.ArrowException) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BadStore(f"cannot read frame store {path}: {why}; run the stage ingest again") from error
