"""Writing a Parquet sample store."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow.parquet as pq
from numpy.typing import NDArray

from spikinghash.data.parquet_columns import DICTIONARY_COLUMNS, STATISTICS_COLUMNS, store_schema, to_table
from spikinghash.data.sample_row import SampleRow
from spikinghash.data.sample_spec import SampleSpec
from spikinghash.data.store_files import STORE_FILES, remove_other
from spikinghash.data.validate_sample import validate_sample
from spikinghash.files import publish

FILE = STORE_FILES["parquet"]
GROUP_BYTES = 64 * 1024**2
GROUP_ROWS = 4096


class ParquetWriter:
    """Context manager that writes `<folder>/samples.parquet`, which appears when the block ends without an error.

    Same rows in the same order give the same bytes (with one version of pyarrow). A row group holds at most about
    64 MB of inputs before compression, which bounds the memory of writer and reader.
    """

    def __init__(self, folder: Path, spec: SampleSpec) -> None:
        self.spec = spec
        self._path = folder / FILE
        self._rows: list[SampleRow] = []
        self._values: list[Mapping[str, NDArray[Any]]] = []
        self._ids: set[str] = set()
        self._stack = ExitStack()
        self._group = max(1, min(GROUP_ROWS, GROUP_BYTES // spec.sample_bytes))

    def __enter__(self) -> ParquetWriter:
        with ExitStack() as stack:
            draft = stack.enter_context(publish(self._path))
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
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            # hand the error on, so that the draft is removed instead of published
            self._stack.__exit__(kind, error, trace)
            return
        with self._stack:
            self._write_group()
        remove_other(self._path.parent, "parquet")

    def add(self, row: SampleRow, values: Mapping[str, NDArray[Any]]) -> None:
        """Append one sample with its inputs by modality name; raises `ValueError` as `validate_sample` does."""
        validate_sample(row, values, self.spec, self._ids)
        self._rows.append(row)
        self._values.append(values)
        if len(self._rows) >= self._group:
            self._write_group()

    def _write_group(self) -> None:
        if self._rows:
            table = to_table(self._rows, self._values, self.spec)
            self._file.write_table(table, row_group_size=len(self._rows))
            self._rows, self._values = [], []
