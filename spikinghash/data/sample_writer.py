"""Writing a sample store, whatever its file format: whole or not at all."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar

from numpy.typing import NDArray

from spikinghash.data.sample_row import SampleRow
from spikinghash.data.sample_spec import SampleSpec
from spikinghash.data.store_files import STORE_FILES, StoreKind, remove_other
from spikinghash.data.validate_sample import validate_sample
from spikinghash.files import PublishedFile


class SampleWriter(PublishedFile):
    """Context manager that writes the store of its `kind` in `folder`, which appears when the block ends without an
    error; get one with `create_store`.
    """

    kind: ClassVar[StoreKind]

    def __init__(self, folder: Path, spec: SampleSpec) -> None:
        super().__init__(folder / STORE_FILES[self.kind])
        self.spec = spec
        self._rows: list[SampleRow] = []
        self._ids: set[str] = set()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        if error is None:
            remove_other(self._path.parent, self.kind)

    def add(self, row: SampleRow, values: Mapping[str, NDArray[Any]]) -> None:
        """Append one sample with its inputs by modality name; raises `ValueError` as `validate_sample` does."""
        validate_sample(row, values, self.spec, self._ids)
        self._append(row, values)

    @abstractmethod
    def _append(self, row: SampleRow, values: Mapping[str, NDArray[Any]]) -> None:
        """As `add`, for a sample that is in order."""
