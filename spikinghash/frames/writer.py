"""Writing a Parquet frame store."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import pyarrow.parquet as pq

from spikinghash.files import publish
from spikinghash.frames.accumulate import Frames
from spikinghash.frames.columns import DICTIONARY_COLUMNS, STATISTICS_COLUMNS, frame_schema, to_table
from spikinghash.frames.schema import ClipRow, FrameMeta
from spikinghash.frames.store_files import STORE_FILES, remove_other
from spikinghash.frames.validate_clip import validate_clip

FILE = STORE_FILES["parquet"]
GROUP_BYTES = 64 * 1024**2
GROUP_ROWS = 4096


class FrameWriter:
    """Context manager that writes `<folder>/frames.parquet`, which appears when the block ends without an error.

    Same rows in the same order give the same bytes (with one version of pyarrow). A row group holds at most about
    64 MB of counts before compression, which bounds the memory of writer and reader.
    """

    def __init__(self, folder: Path, meta: FrameMeta) -> None:
        self.meta = meta
        self._path = folder / FILE
        self._rows: list[ClipRow] = []
        self._counts: list[Frames] = []
        self._ids: set[str] = set()
        self._stack = ExitStack()
        self._group = max(1, min(GROUP_ROWS, GROUP_BYTES // meta.clip_bytes))

    def __enter__(self) -> FrameWriter:
        with ExitStack() as stack:
            draft = stack.enter_context(publish(self._path))
            self._file = stack.enter_context(
                pq.ParquetWriter(
                    draft,
                    frame_schema(self.meta),
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

    def add(self, row: ClipRow, counts: Frames) -> None:
        """Append one clip with its frames [T, 2, H, W]; raises `ValueError` as `validate_clip` does."""
        validate_clip(row, counts, self.meta, self._ids)
        self._rows.append(row)
        self._counts.append(counts)
        if len(self._rows) >= self._group:
            self._write_group()

    def _write_group(self) -> None:
        if self._rows:
            table = to_table(self._rows, self._counts, self.meta)
            self._file.write_table(table, row_group_size=len(self._rows))
            self._rows, self._counts = [], []
