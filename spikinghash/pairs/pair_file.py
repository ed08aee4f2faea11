"""Reading and writing `pairs.parquet`: streamed by row groups, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from spikinghash.errors import BadStore, ConfigError
from spikinghash.files import PublishedFile, sha256_file
from spikinghash.pairs.pair import Pair
from spikinghash.pairs.pair_columns import FEATURES, PairSpec, to_pairs, to_table
from spikinghash.schema import SPLITS

PAIRS_FILE = "pairs.parquet"
GROUP_ROWS, GROUP_BYTES = 512, 32 << 20


class PairFile:
    """A file of pairs opened for reading; get one with `open`."""

    def __init__(self, path: Path, spec: PairSpec, rows: int) -> None:
        self.path, self.spec, self._rows = path, spec, rows

    @classmethod
    def open(cls, place: Path) -> PairFile:
        """The file `place`, or the one in that folder; `BadStore` if it is missing, damaged or of another version."""
        path = place / PAIRS_FILE if place.is_dir() else place
        with _one_clear_line(path), pq.ParquetFile(path) as file:
            return cls(path, PairSpec.of(file.schema_arrow), file.metadata.num_rows)

    def __len__(self) -> int:
        return self._rows

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the file, 64 hexadecimal digits."""
        return sha256_file(self.path)

    def pairs(self, split: str | None = None, columns: Sequence[str] | None = None) -> Iterator[Pair]:
        """Pairs in stored order, of a split (None: all), a row group at a time; with `columns`, what they hold alone.

        Raises `BadStore` on damage.
        """
        names = None if columns is None else list(dict.fromkeys(["pair_id", "group", "split", "origin", *columns]))
        if names is not None:
            names = [name for name in names if name not in FEATURES or name in self.spec.features]
        with _one_clear_line(self.path):
            file = pq.ParquetFile(self.path, page_checksum_verification=True)
        with file:
            for group in range(file.num_row_groups):
                with _one_clear_line(self.path):
                    some = to_pairs(file.read_row_group(group, names), self.spec)
                yield from (pair for pair in some if split is None or pair.split == split)


class PairWriter(PublishedFile):
    """Context manager that writes `<folder>/pairs.parquet`, which appears when the block ends without an error.

    The first pairs say which features the file has, and their widths. Same pairs, same bytes (with one version of
    pyarrow).
    """

    def __init__(self, folder: Path, made_by: Mapping[str, Any]) -> None:
        super().__init__(folder / PAIRS_FILE)
        self._made_by = made_by
        self._waiting: list[Pair] = []
        self._bytes = 0
        self._ids: set[str] = set()
        self._file: pq.ParquetWriter | None = None

    def _open(self, draft: Path, stack: ExitStack) -> None:
        self._draft = draft

    def _finish(self) -> None:
        self._write_group()

    def add(self, pair: Pair) -> None:
        """Append one pair; `ValueError` for an id that is known, a strange split, a feature that does not fit."""
        if pair.pair_id in self._ids:
            raise ValueError(f"pair {pair.pair_id!r} was already written")
        if pair.split not in SPLITS:
            raise ValueError(f"no split is called {pair.split!r}; there are {', '.join(SPLITS)}")
        self._ids.add(pair.pair_id)
        self._waiting.append(pair)
        self._bytes += len(pair.image or b"")
        if len(self._waiting) >= GROUP_ROWS or self._bytes >= GROUP_BYTES:
            self._write_group()

    def _write_group(self) -> None:
        if self._file is None:
            self._file = self._create()
        late = next((name for pair in self._waiting for name in FEATURES if self._is_late(pair, name)), None)
        if late is not None:
            raise ConfigError(f"some of the first {GROUP_ROWS} pairs must have a {late}, as later ones do")
        if self._waiting:
            self._file.write_table(to_table(self._waiting, self._spec), row_group_size=len(self._waiting))
        self._waiting, self._bytes = [], 0

    def _is_late(self, pair: Pair, name: str) -> bool:
        return getattr(pair, name) is not None and name not in self._spec.features

    def _create(self) -> pq.ParquetWriter:
        features = {}
        for name in FEATURES:
            first = next((value for pair in self._waiting if (value := getattr(pair, name)) is not None), None)
            if first is not None:
                features[name] = (len(first), str(first.dtype))
        self._spec = PairSpec(features, self._made_by)
        return self._stack.enter_context(
            pq.ParquetWriter(
                self._draft, self._spec.schema, compression="zstd", compression_level=3, use_dictionary=["split"],
                write_statistics=["pair_id", "split"], write_page_checksum=True,
            )
        )  # fmt: skip


@contextmanager
def _one_clear_line(path: Path) -> Iterator[None]:
    """Turn whatever a damaged file makes pyarrow raise into `BadStore`."""
    try:
        yield
    except FileNotFoundError:
        raise BadStore(f"there is no file of pairs {path}; run the stage pairs first") from None
    except (pa.ArrowException, ValueError, OSError, KeyError, TypeError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BadStore(f"cannot read the pairs {path}: {why}; run the stage pairs again") from None
