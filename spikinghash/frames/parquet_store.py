"""Reading a Parquet frame store: one row per clip, damage detected by page checksums."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from spikinghash.frames.columns import META_KEY, frame_schema, to_counts, to_rows
from spikinghash.frames.schema import Batch, ClipRow, FrameMeta
from spikinghash.frames.store import FrameStore, one_clear_line


class ParquetStore(FrameStore):
    """A Parquet frame store opened for reading."""

    @classmethod
    def read(cls, path: Path) -> ParquetStore:
        """Open the file `path`; raises `BadStore` if it is missing, damaged or of another version."""
        with one_clear_line(path), pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            described = (schema.metadata or {}).get(META_KEY)
            if described is None:
                raise ValueError("no description; it was not written by spikinghash")
            meta = FrameMeta.from_json(described)
            if not schema.equals(frame_schema(meta)):
                raise ValueError("its columns are not those of a frame store")
            return cls(path, meta)

    def _rows(self, split: str | None) -> list[ClipRow]:
        names = [name for name in frame_schema(self.meta).names if name != "counts"]
        return [row for table in self._tables(split, names) for row in to_rows(table)]

    def _blocks(self, split: str | None) -> Iterator[Batch]:
        for table in self._tables(split, None):
            yield to_counts(table["counts"], self.meta), to_rows(table)

    def _tables(self, split: str | None, columns: list[str] | None) -> Iterator[pa.Table]:
        """One table per row group that has rows of the split."""
        with pq.ParquetFile(self.path, page_checksum_verification=True) as file:
            for group in range(file.num_row_groups):
                chosen = None if split is None else pc.equal(file.read_row_group(group, ["split"])["split"], split)
                if chosen is not None and not pc.any(chosen).as_py():
                    continue
                table = file.read_row_group(group, columns)
                yield table if chosen is None else table.filter(chosen)
