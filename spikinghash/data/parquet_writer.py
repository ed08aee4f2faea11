"""Writing a Parquet sample store."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar

import pyarrow.parquet as pq
from numpy.typing import NDArray

from spikinghash.data.parquet_columns import DICTIONARY_COLUMNS, STATISTICS_COLUMNS, store_schema, to_table
from spikinghash.data.sample_row import SampleRow
from spikinghash.data.sample_spec import SampleSpec
from spikinghash.data.sample_writer import SampleWriter
from spikinghash.data.store_files import StoreKind

GROUP_BYTES = 64 * 1024**2
GROUP_ROWS = 4096


class ParquetWriter(SampleWriter):
    """Writes `<folder>/samples.parquet`.

    Same rows in the same order give the same bytes (with one version of pyarrow). A row group holds at most about
    64 MB of inputs before compression, which bounds the memory of writer and reader.
    """

    kind: ClassVar[StoreKind] = "parquet"

    def __init__(self, folder: Path, spec: SampleSpec) -> None:
        super().__init__(folder, spec)
        self._values: list[Mapping[str, NDArray[Any]]] = []
        self._group = max(1, min(GROUP_ROWS, GROUP_BYTES // spec.sample_bytes))

    def _open(self, draft: Path, stack: ExitStack) -> None:
        self._file = stack.enter_context(
            pq.ParquetWriter(
                draft,
                store_schema(self.spec),
                compression="zstd",
                compression_level=3,
                use_dictionary=DICTIONARY_COLUMNS,
                write_statistics=STATISTICS_COLUMNS,
                write_page_checksum=True,
            )
        )

    def _append(self, row: SampleRow, values: Mapping[str, NDArray[Any]]) -> None:
        self._rows.append(row)
        self._values.append(values)
        if len(self._rows) >= self._group:
            self._write_group()

    def _finish(self) -> None:
        self._write_group()

    def _write_group(self) -> None:
        if self._rows:
            table = to_table(self._rows, self._values, self.spec)
            self._file.write_table(table, row_group_size=len(self._rows))
            self._rows, self._values = [], []
