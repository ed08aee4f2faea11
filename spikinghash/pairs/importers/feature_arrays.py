"""The importer `feature_arrays`: features of one's own in `.npy`, `.npz`, `.h5` or `.mat`, a row a pair."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import h5py
import numpy as np
from numpy.typing import NDArray

from spikinghash.errors import ConfigError
from spikinghash.pairs.importers.label_rows import name_of, names_of_row, read_names
from spikinghash.pairs.importers.mat_file import open_mat, pick
from spikinghash.pairs.pair import Candidate

#: Reads rows `first` to `stop` of an array [N, ...] of numbers.
Rows = Callable[[int, int], NDArray[Any]]
_AT_ONCE = 1024


def feature_pairs(
    path: Path,
    *,
    image: str | None = None,
    text: str | None = None,
    labels: str | None = None,
    label_names: str | Sequence[str] | None = None,
) -> Iterator[Candidate]:
    """A pair a row of the arrays below the folder `path`; ids are numbers from 0.

    Each is a file such as `image.npy`, or a file and the name of an array in it, such as `all.npz:image`: features of
    `image` and `text` [N, D], which become float32 unless they are float16, and `labels`, [N, L] of 0 and 1 or [N]
    whole numbers. Objects are refused, since reading them would run code. Raises `ConfigError` for other files, and for
    arrays that do not go together.
    """
    names = read_names(path, label_names)
    with ExitStack() as stack:
        arrays = {
            what: _open(path, place, stack)
            for what, place in (("image", image), ("text", text), ("labels", labels))
            if place is not None
        }
        if not {"image", "text"} & set(arrays):
            raise ConfigError(f"{path}: name the features of image, of text, or of both")
        counts = {what: count for what, (count, _) in arrays.items()}
        if len(set(counts.values())) != 1:
            raise ConfigError(f"{path}: {counts} rows do not go together")
        for first in range(0, min(counts.values()), _AT_ONCE):
            some = {what: rows(first, first + _AT_ONCE) for what, (_, rows) in arrays.items()}
            for place in range(len(next(iter(some.values())))):
                yield _pair(path, first + place, {what: rows[place] for what, rows in some.items()}, names)


def _pair(path: Path, row: int, cells: dict[str, Any], names: Sequence[str] | None) -> Candidate:
    where, marks = f"{path} row {row}", cells.get("labels")
    found: tuple[str, ...] = ()
    if marks is not None:
        found = names_of_row(marks, names, where) if np.ndim(marks) else (name_of(int(marks), names, where),)
    features = {what: _feature(cells[what]) for what in ("image", "text") if what in cells}
    return Candidate(
        str(row), f"row {row}", labels=found, image_feature=features.get("image"), text_feature=features.get("text")
    )


def _feature(row: NDArray[Any]) -> NDArray[Any]:
    return np.array(row, np.float16 if row.dtype == np.float16 else np.float32)


def _open(folder: Path, given: str, stack: ExitStack) -> tuple[int, Rows]:
    """Number of rows of an array, and what reads them."""
    name, _, inner = given.partition(":")
    path = folder / name
    try:
        if path.suffix == ".mat":
            file = stack.enter_context(open_mat(path))
            variable = pick(file, path, (inner,)) if inner else _only(path, file.names)
            return file.shape(variable)[0], lambda first, stop: file.rows(variable, first, stop)
        array = _array(path, inner, stack)
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise ConfigError(f"cannot read {path}: {' '.join(str(error).split())}") from None
    if array.dtype.kind not in "biuf" or array.ndim not in (1, 2):
        raise ConfigError(f"{path}: {list(array.shape)} of {array.dtype} are no rows of numbers")
    return len(array), lambda first, stop: np.asarray(array[first:stop])


def _array(path: Path, inner: str, stack: ExitStack) -> Any:
    if path.suffix in (".h5", ".hdf5"):
        opened = stack.enter_context(h5py.File(path, "r"))
        found = opened[inner or _only(path, list(opened))]
        linked = found.file.filename != opened.filename
        if linked or not isinstance(found, h5py.Dataset) or found.external or found.is_virtual:
            raise ConfigError(f"{path}: {found.name} is no array of this file itself; put it there")
        return found
    if path.suffix == ".npz":
        # opened here, since numpy leaves it open where it is no archive
        archive = stack.enter_context(np.load(stack.enter_context(path.open("rb")), allow_pickle=False))
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise ValueError("no .npz archive")
        return archive[inner or _only(path, list(archive.files))]
    if path.suffix == ".npy":
        return np.load(path, mmap_mode="r", allow_pickle=False)
    raise ConfigError(f"{path}: arrays are read from .npy, .npz, .h5 and .mat; convert it")


def _only(path: Path, names: Sequence[str]) -> str:
    if len(names) != 1:
        raise ConfigError(f"{path} holds {', '.join(names) or 'nothing'}: say which, as in {path.name}:name")
    return names[0]
