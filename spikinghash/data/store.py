"""Reading a sample store, whatever its file format: streamed or whole, damage refused in one clear line."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from spikinghash.data.sample_block import SampleBlock, joined
from spikinghash.data.sample_row import SampleRow
from spikinghash.data.sample_spec import SampleSpec
from spikinghash.data.store_files import ANEW
from spikinghash.errors import BadStore
from spikinghash.files import sha256_file
from spikinghash.schema import SPLITS

_OLD_KEY = "spikinghash.frames"
Inputs = tuple[NDArray[Any], list[SampleRow]]


class SampleSource(Protocol):
    """What evaluation and reports need of a store. `SampleStore` is one, whatever its file format."""

    @property
    def spec(self) -> SampleSpec:
        """What its samples consist of."""
        ...

    def iter_inputs(self, name: str, split: str | None, batch: int) -> Iterator[Inputs]:
        """Values [<= batch, ...] of one modality and the rows that have it, in stored order; split None means all."""
        ...


class SampleStore(ABC):
    """A sample store opened for reading; get one with `SampleStore.open`. Fulfils `SampleSource`."""

    def __init__(self, path: Path, spec: SampleSpec) -> None:
        self.path = path
        self.spec = spec

    @staticmethod
    def open(folder: Path) -> SampleStore:
        """The store in `folder`, see `open_store`."""
        from spikinghash.data.open_store import open_store

        return open_store(folder)

    @cached_property
    def classes(self) -> list[str]:
        """Sorted names of all labels, over all splits; a class's number is its place."""
        return sorted({label for row in self.rows(None) for label in row.labels})

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the file, 64 hexadecimal digits: the digest of the data that a metric was computed on."""
        with one_clear_line(self.path):
            return sha256_file(self.path)

    def rows(self, split: str | None) -> list[SampleRow]:
        """Rows of a split (None: all) in stored order, without reading inputs."""
        check_split(split)
        with one_clear_line(self.path):
            return self._rows(split)

    def iter_batches(self, split: str | None, batch: int, names: Sequence[str] | None = None) -> Iterator[SampleBlock]:
        """Yield samples in stored order, `batch` at a time; only the last batch may be smaller.

        Of the modalities `names`, by default all. Holds about 64 MB of inputs, and one batch, in memory. Raises
        `BadStore` on damage and for a modality it lacks, `ValueError` for a batch below 1 or a name that is no split.
        """
        check_split(split)
        if batch < 1:
            raise ValueError(f"a batch holds at least one sample, not {batch}")
        waiting: list[SampleBlock] = []
        for more in self._guarded_blocks(split, self._known(names)):
            block = joined([*waiting, more])
            whole = len(block) // batch * batch
            for first in range(0, whole, batch):
                yield block.part(first, first + batch)
            waiting = [block.part(whole, len(block))] if whole < len(block) else []
        yield from waiting

    def iter_inputs(self, name: str, split: str | None, batch: int) -> Iterator[Inputs]:
        """Yield values [<= batch, ...] of one modality and the rows that have it; else as `iter_batches`."""
        for block in self.iter_batches(split, batch, [name]):
            values, rows = block.having(name)
            if rows:
                yield values, rows

    def load(self, split: str | None, name: str) -> Inputs:
        """Values [N, ...] of one modality of a whole split (None: all) and the rows that have it."""
        check_split(split)
        blocks = list(self._guarded_blocks(split, self._known([name])))
        if not blocks:
            return np.empty((0, *self.spec.fields[name].shape), self.spec.fields[name].dtype), []
        return joined(blocks).having(name)

    @abstractmethod
    def _rows(self, split: str | None) -> list[SampleRow]:
        """As `rows`."""

    @abstractmethod
    def _blocks(self, split: str | None, names: Sequence[str]) -> Iterator[SampleBlock]:
        """Writable samples of the split in stored order, about 64 MB at a time."""

    def _known(self, names: Sequence[str] | None) -> Sequence[str]:
        missing = [name for name in names or () if name not in self.spec.fields]
        if missing:
            raise BadStore(f"{self.path} has no {missing[0]}; its samples have {', '.join(self.spec.fields)}")
        return list(self.spec.fields) if names is None else names

    def _guarded_blocks(self, split: str | None, names: Sequence[str]) -> Iterator[SampleBlock]:
        blocks = self._blocks(split, names)
        while True:
            with one_clear_line(self.path):
                block = next(blocks, None)
            if block is None:
                return
            yield block


def check_split(split: str | None) -> None:
    """Raise `ValueError` for a name that is no split."""
    if split is not None and split not in SPLITS:
        raise ValueError(f"no split is called {split!r}; there are {', '.join(SPLITS)}")


def no_description(keys: Iterable[str]) -> Exception:
    """The error for a file without the description of a sample store, from what else it says of itself."""
    if _OLD_KEY in keys:
        return BadStore(f"it is a frame store of an older version; {ANEW}")
    return ValueError("no description; it was not written by spikinghash")


@contextmanager
def one_clear_line(path: Path) -> Iterator[None]:
    """Turn whatever a damaged file makes a library raise into `BadStore`."""
    try:
        yield
    except FileNotFoundError as error:
        raise BadStore(f"there is no sample store {path}; run the stage ingest first") from error
    except BadStore as error:
        raise BadStore(f"cannot read sample store {path}: {error}") from error
    # pyarrow's and h5py's errors are these, too
    except (ValueError, OSError, KeyError, TypeError, RuntimeError, ArithmeticError, MemoryError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BadStore(f"cannot read sample store {path}: {why}; run the stage ingest again") from error
