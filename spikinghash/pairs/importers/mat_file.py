"""Arrays and texts of MATLAB files, version 5 ("MAT-File Format", MathWorks) and 7.3, which is HDF5.

Axes are those of MATLAB: HDF5 has them the other way round, which is undone here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import h5py
import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat, whosmat

from spikinghash.errors import ConfigError

MAX_BYTES_5 = 2 << 30
_DAMAGE = (OSError, ValueError, TypeError, KeyError, NotImplementedError, IndexError, EOFError, RuntimeError)


class MatFile(Protocol):
    """An open file."""

    @property
    def names(self) -> list[str]:
        """Names of its variables."""
        ...

    def shape(self, name: str) -> tuple[int, ...]:
        """Axes of an array."""
        ...

    def rows(self, name: str, first: int, stop: int) -> NDArray[Any]:
        """Entries `first` to `stop` along the first axis of an array of numbers."""
        ...

    def last(self, name: str, place: int) -> NDArray[Any]:
        """Entry `place` along the last axis of an array of numbers, which is left out."""
        ...

    def texts(self, name: str) -> list[tuple[str, ...]]:
        """A cell or matrix of text: the texts of each row."""
        ...


@contextmanager
def open_mat(path: Path) -> Iterator[MatFile]:
    """The file `path`; raises `ConfigError`, also for damage that is met while it is open."""
    try:
        with path.open("rb") as file:
            head = file.read(16)
        if head.startswith(b"MATLAB 5.0"):
            if path.stat().st_size > MAX_BYTES_5:
                raise ConfigError(f"{path}: MATLAB 5 files of more than 2 GiB there are none; save it with -v7.3")
            yield _Mat5(path)
        elif h5py.is_hdf5(path):
            with h5py.File(path, "r") as opened:
                yield _Mat73(opened)
        else:
            raise ConfigError(f"{path}: neither MATLAB 5 nor 7.3")
    except _DAMAGE as error:
        raise ConfigError(f"cannot read {path}: {' '.join(str(error).split()) or type(error).__name__}") from None


def pick(file: MatFile, path: Path, names: tuple[str, ...]) -> str:
    """The first of these variables that the file has; `ConfigError` for none."""
    found = next((name for name in names if name in file.names), None)
    if found is None:
        raise ConfigError(f"{path}: no variable {' or '.join(names)}; it has {', '.join(file.names) or 'none'}")
    return found


class _Mat5:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: dict[str, NDArray[Any]] = {}

    @property
    def names(self) -> list[str]:
        return [name for name, _, _ in whosmat(self._path)]

    def shape(self, name: str) -> tuple[int, ...]:
        return self._array(name).shape

    def rows(self, name: str, first: int, stop: int) -> NDArray[Any]:
        return _numbers(self._array(name), name)[first:stop]

    def last(self, name: str, place: int) -> NDArray[Any]:
        return _numbers(self._array(name), name)[..., place]

    def texts(self, name: str) -> list[tuple[str, ...]]:
        array = self._array(name)
        if array.ndim > 1 and 1 in array.shape[:2] and array.dtype.kind in "OU" and array.shape[0] == 1:
            array = array.T  # a row of cells holds one sample each, too
        return [tuple(_strings(one)) for one in array]

    def _array(self, name: str) -> NDArray[Any]:
        if name not in self._read:
            self._read[name] = loadmat(self._path, variable_names=[name])[name]
        return self._read[name]


class _Mat73:
    def __init__(self, file: h5py.File) -> None:
        self._file = file

    @property
    def names(self) -> list[str]:
        return [name for name in self._file if not name.startswith("#")]

    def shape(self, name: str) -> tuple[int, ...]:
        return self._data(name).shape[::-1]

    def rows(self, name: str, first: int, stop: int) -> NDArray[Any]:
        return _numbers(np.asarray(self._data(name)[..., first:stop]), name).T

    def last(self, name: str, place: int) -> NDArray[Any]:
        return _numbers(np.asarray(self._data(name)[place]), name).T

    def texts(self, name: str) -> list[tuple[str, ...]]:
        data = self._data(name)
        if h5py.check_ref_dtype(data.dtype) is None:
            return [(_from_codes(row),) for row in np.asarray(data[()]).T]
        cells = np.asarray(data[()]).T
        cells = cells.T if cells.shape[0] == 1 else cells
        return [tuple(text for cell in row for text in self._of_cell(cell)) for row in cells]

    def _of_cell(self, reference: Any) -> list[str]:
        inner = self._file[reference]
        if h5py.check_ref_dtype(inner.dtype) is not None:
            return [text for cell in np.asarray(inner[()]).T.ravel() for text in self._of_cell(cell)]
        if inner.attrs.get("MATLAB_empty", 0) or inner.ndim != 2:
            return []
        return [_from_codes(row) for row in np.asarray(inner[()]).T]

    def _data(self, name: str) -> h5py.Dataset:
        link = self._file.get(name, getlink=True)
        data = self._file[name] if isinstance(link, h5py.HardLink) else None
        if not isinstance(data, h5py.Dataset) or data.external or data.is_virtual:
            raise ValueError(f"{name} is no array in this file")
        return data


def _numbers(array: NDArray[Any], name: str) -> NDArray[Any]:
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} holds {array.dtype}, not numbers")
    return array


def _strings(cell: Any) -> list[str]:
    if isinstance(cell, np.ndarray):
        return [text for one in cell.ravel() for text in _strings(one)]
    return [str(cell).rstrip(" \0")]


def _from_codes(row: NDArray[Any]) -> str:
    return row.astype("<u2").tobytes().decode("utf-16-le", "replace").rstrip(" \0")
