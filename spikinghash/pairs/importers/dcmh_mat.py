"""The importer `dcmh_mat`: one MATLAB file with `images`, `YAll` (tags) and `LAll` (labels).

As shared with DCMH (Jiang and Li, "Deep Cross-Modal Hashing", CVPR 2017): images 224x224x3xN, tags and labels 0 or 1.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from spikinghash.errors import ConfigError
from spikinghash.pairs.importers.label_rows import names_of_row, read_names
from spikinghash.pairs.importers.mat_file import MatFile, open_mat, pick
from spikinghash.pairs.pair import Candidate

_IMAGES, _TAGS, _LABELS = ("images", "IAll"), ("YAll", "tags"), ("LAll", "labels")
_AT_ONCE = 256


def dcmh_pairs(
    path: Path,
    *,
    pictures: bool = True,
    tag_names: str | Sequence[str] | None = None,
    label_names: str | Sequence[str] | None = None,
) -> Iterator[Candidate]:
    """A pair a picture of the file `path`; ids are numbers from 0.

    Pictures become PNG files (without `pictures` they are left out); the text feature is the row of tags as float32,
    and with `tag_names` the text is the names of its tags. Names are lists, or JSON files beside `path`.
    Raises `ConfigError` for other files, and arrays that do not go together.
    """
    tag_words, names = read_names(path.parent, tag_names), read_names(path.parent, label_names)
    with open_mat(path) as file:
        tags, labels = pick(file, path, _TAGS), pick(file, path, _LABELS)
        images = pick(file, path, _IMAGES) if pictures else None
        count = _count(path, file, images, tags, labels)
        for first in range(0, count, _AT_ONCE):
            some = file.rows(tags, first, first + _AT_ONCE), file.rows(labels, first, first + _AT_ONCE)
            for row, (tag_row, label_row) in enumerate(zip(*some, strict=True), first):
                where = f"{path} row {row}"
                yield Candidate(
                    str(row),
                    f"{path.name}#{row}",
                    labels=names_of_row(label_row, names, where),
                    text=() if tag_words is None else (" ".join(names_of_row(tag_row, tag_words, where)),),
                    picture=None if images is None else _png(file.last(images, row), where),
                    text_feature=tag_row.astype(np.float32),
                )


def _count(path: Path, file: MatFile, images: str | None, tags: str, labels: str) -> int:
    counts = {tags: file.shape(tags)[0], labels: file.shape(labels)[0]}
    if images is not None:
        shape = file.shape(images)
        if len(shape) != 4 or shape[2] != 3:
            raise ConfigError(f"{path}: {images} are {list(shape)}, not height x width x 3 x N")
        counts[images] = shape[3]
    if len(set(counts.values())) != 1:
        said = ", ".join(f"{name} of {count}" for name, count in counts.items())
        raise ConfigError(f"{path}: {said} samples do not go together")
    return counts[tags]


def _png(pixels: NDArray[np.generic], where: str) -> bytes:
    """Numbers 0 to 255 [H, W, 3] as a PNG file."""
    whole = pixels.astype(np.uint8)
    if not np.array_equal(whole, pixels):
        raise ConfigError(f"{where}: the picture has values that are no whole numbers from 0 to 255")
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(whole)).save(out, "PNG", compress_level=1)
    return out.getvalue()
