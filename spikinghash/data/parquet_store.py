"""Reading a Parquet sample store: one row per sample, damage detected by page checksums."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from spikinghash.data.parquet_columns import META_KEY, row_columns, store_schema, to_rows, to_values
from spikinghash.data.sample_block import SampleBlock
from spikinghash.data.sample_row import SampleRow
from spikinghash.data.sample_spec import SampleSpec
from spikinghash.data.store import SampleStore, no_description, one_clear_line


class ParquetStore(SampleStore):
    """A Parquet sample store opened for reading."""

    @classmethod
    def read(cls, path: Path) -> ParquetStore:
        """Open the file `path`; raises `BadStore` if it is missing, damaged or of another version."""
        with one_clear_line(path), pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            described = (schema.metadata or {}).get(META_KEY)
            if described is None:
                raise no_description(key.decode("utf-8", "replace") for key in schema.metadata or {})
            spec = SampleSpec.from_json(described)
            if not schema.equals(store_schema(spec)):
                raise ValueError("its columns are not those of a sample store")
            return cls(path, spec)

    def _rows(self, split: str | None) -> list[SampleRow]:
        return [row for table in self._tables(split, []) for row in to_rows(table, self.spec)]

    def _blocks(self, split: str | None, names: Sequence[str]) -> Iterator[SampleBlock]:
        for table in self._tables(split, names):
            found = {name: to_values(table[name], self.spec.fields[name]) for name in names}
            values, present = ({name: pair[i] for name, pair in found.items()} for i in (0, 1))
            yield SampleBlock(to_rows(table, self.spec), values, present)

    def _tables(self, split: str | None, names: Sequence[str]) -> Iterator[pa.Table]:
        """One table per row group that has rows of the split, with the inputs of `names`."""
        columns = [*row_columns(self.spec), *names]
        with pq.ParquetFile(self.path, page_checksum_verification=True) as file:
            for group in range(file.num_row_groups):
                chosen = None if split is None else pc.equal(file.read_row_group(group, ["split"])["split"], split)
                if chosen is not None and not pc.any(chosen).as_py():
                    continue
                table = file.read_row_group(group, columns)
                yield table if chosen is None else table.filter(chosen)
