"""The clips of an index in row order: what row number n of a search result stands for."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from spikinghash.codes.codeset import CodeSet
from spikinghash.errors import BadStore

#: `recording_key`, `modality`, `item` and `seen` as in `CodeSet`, null where they are not known; `labels` are all of a
#: clip's labels where some clips have several.
CLIP_ROWS = pa.schema(
    [
        pa.field("clip_id", pa.string(), nullable=False),
        pa.field("recording", pa.string(), nullable=False),
        pa.field("label", pa.string()),
        pa.field("labels", pa.list_(pa.string())),
        pa.field("start_us", pa.int64(), nullable=False),
        pa.field("end_us", pa.int64(), nullable=False),
        pa.field("archive", pa.string()),
        pa.field("recording_key", pa.uint64()),
        pa.field("modality", pa.string()),
        pa.field("item", pa.string()),
        pa.field("seen", pa.string()),
    ]
)
#: What one clip costs to look up is one row group; what many cost is their number.
_GROUP_ROWS = 8192


def clips_of(codes: CodeSet) -> pa.Table:
    """The clips of `codes` in row order, columns of `CLIP_ROWS`."""
    unknown = [None] * len(codes)
    return pa.table(
        {
            "clip_id": codes.clip_ids.tolist(),
            "recording": codes.recordings.tolist(),
            "label": codes.labels.tolist(),
            "labels": unknown if codes.label_sets is None else [list(some) for some in codes.label_sets],
            "start_us": codes.start_us,
            "end_us": codes.end_us,
            "archive": unknown if codes.archives is None else codes.archives.tolist(),
            "recording_key": unknown if codes.recording_keys is None else codes.recording_keys,
            "modality": unknown if codes.modalities is None else codes.modalities.tolist(),
            "item": unknown if codes.items is None else codes.items.tolist(),
            "seen": unknown if codes.seen is None else codes.seen.tolist(),
        },
        schema=CLIP_ROWS,
    )


def clips_to_bytes(codes: CodeSet) -> bytes:
    """`clips.parquet` of an index over `codes`, every page with a checksum; the same codes give the same bytes."""
    sink = io.BytesIO()
    pq.write_table(clips_of(codes), sink, compression="zstd", row_group_size=_GROUP_ROWS, write_page_checksum=True)
    return sink.getvalue()


def footer(content: memoryview) -> memoryview:
    """The part of a Parquet file that says where everything is; `BadStore` if there is none."""
    size = int.from_bytes(content[-8:-4], "little") + 8
    if len(content) < 12 or bytes(content[-4:]) != b"PAR1" or size + 4 > len(content):
        raise BadStore("not a Parquet file")
    return content[-size:]


@dataclass(frozen=True)
class Clips:
    """N clips that are read when asked for, from memory or from a file whose pages carry checksums."""

    source: pa.Table | pq.ParquetFile

    @classmethod
    def open(cls, path: Path) -> Clips:
        """`clips.parquet`; `BadStore` if it is no such table."""
        try:
            file = pq.ParquetFile(path, memory_map=True, page_checksum_verification=True)
        except (pa.ArrowException, OSError) as error:
            raise BadStore(f"{path} is not readable: {' '.join(str(error).split())}; build the index again") from error
        if not file.schema_arrow.equals(CLIP_ROWS):
            raise BadStore(f"{path} has other columns than an index needs; build the index again")
        return cls(file)

    def __len__(self) -> int:
        return int(self.source.num_rows if isinstance(self.source, pa.Table) else self.source.metadata.num_rows)

    def column(self, name: str) -> pa.ChunkedArray:
        """One column of all clips [N]."""
        return self._read([name], None).column(0)

    def take(self, rows: NDArray[np.int64]) -> pa.Table:
        """The clips at `rows` [M] in their order, columns of `CLIP_ROWS`; reads only the row groups they are in."""
        if isinstance(self.source, pa.Table):
            return self.source.take(rows)
        groups = np.unique(rows // _GROUP_ROWS)
        if not len(groups):
            return CLIP_ROWS.empty_table()
        table = self._read(CLIP_ROWS.names, groups.tolist())
        # all groups before the last are full, so a row keeps its place within its group
        return table.take(np.searchsorted(groups, rows // _GROUP_ROWS) * _GROUP_ROWS + rows % _GROUP_ROWS)

    def rows_of_recording(self, key: int) -> NDArray[np.int64]:
        """Rows [M] of the clips of one recording, by its `recording_key`."""
        same = pc.equal(self.column("recording_key"), pa.scalar(key, pa.uint64()))
        return np.flatnonzero(same.combine_chunks().fill_null(False).to_numpy(zero_copy_only=False))

    def _read(self, columns: list[str], groups: list[int] | None) -> pa.Table:
        if isinstance(self.source, pa.Table):
            return self.source.select(columns)
        try:
            if groups is None:
                return self.source.read(columns)
            return self.source.read_row_groups(groups, columns)
        except (pa.ArrowException, OSError) as error:
            raise BadStore(
                f"clips.parquet is damaged: {' '.join(str(error).split())}; build the index again"
            ) from error
