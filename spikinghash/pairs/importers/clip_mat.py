"""The importer `clip_mat`: `index.mat`, `caption.mat`, `label.mat` as the hashing codes around CLIP share data sets.

As `kalenforn/clip-based-cross-modal-hash` writes them: paths of pictures on the author's machine, one or several
captions each, and N x L labels of 0 and 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from spikinghash.errors import ConfigError
from spikinghash.pairs.import_pairs import Found
from spikinghash.pairs.importers.label_rows import names_of_row, read_names
from spikinghash.pairs.importers.mat_file import open_mat, pick
from spikinghash.pairs.importers.picture_place import place_of
from spikinghash.pairs.pair import BadPair, Candidate, RefusedPair

_INDEX, _CAPTION, _LABEL = ("index", "imgs"), ("caption", "tags"), ("category", "labels", "label")


def clip_pairs(
    path: Path, *, pictures: str | None = None, label_names: str | Sequence[str] | None = None
) -> Iterator[Found]:
    """A pair a row of the three files in the folder `path`; ids are numbers from 0.

    `pictures` is the folder with the pictures, from `path` (without one they are left out): stored paths are re-rooted
    to it. Raises `ConfigError` for files that are missing or do not go together.
    """
    names = read_names(path, label_names)
    with open_mat(path / "index.mat") as file:
        index = [row[0] if row else "" for row in file.texts(pick(file, path / "index.mat", _INDEX))]
    with open_mat(path / "caption.mat") as file:
        captions = file.texts(pick(file, path / "caption.mat", _CAPTION))
    with open_mat(path / "label.mat") as file:
        labels = file.rows(pick(file, path / "label.mat", _LABEL), 0, len(index) + 1)
    if not len(index) == len(captions) == len(labels):
        said = f"{len(index)} paths, {len(captions)} captions and {len(labels)} labels"
        raise ConfigError(f"{path}: {said} do not go together")
    for row, (listed, text, label_row) in enumerate(zip(index, captions, labels, strict=True)):
        origin = f"index.mat#{row}"
        found = names_of_row(label_row, names, f"{path / 'label.mat'} row {row}")
        try:
            place, moved = (None, False) if pictures is None else place_of(path / pictures, listed)
        except BadPair as error:
            yield RefusedPair.of(str(row), origin, error)
            continue
        yield Candidate(str(row), origin, labels=found, text=text, picture=place, re_rooted=moved)
