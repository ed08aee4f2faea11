"""The importer `nus_wide`: the text files of NUS-WIDE (Chua et al., CIVR 2009).

`ImageList/Imagelist.txt` (Windows separators), `Groundtruth/AllLabels/Labels_<concept>.txt` with a 0 or 1 a line, and
`NUS_WID_Tags/All_Tags.txt` with a number and tags a line; line i of each is of picture i.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from spikinghash.errors import ConfigError
from spikinghash.pairs.import_pairs import Found
from spikinghash.pairs.importers.picture_place import place_of
from spikinghash.pairs.pair import BadPair, Candidate, RefusedPair

_LABELS = re.compile(r"Labels_(.+)\.txt")


def nus_wide_pairs(
    path: Path,
    *,
    pictures: str | None = None,
    concepts: Sequence[str] = (),
    images: str = "ImageList/Imagelist.txt",
    labels: str = "Groundtruth/AllLabels",
    tags: str = "NUS_WID_Tags/All_Tags.txt",
) -> Iterator[Found]:
    """A pair a picture of the folder `path`; its text is its tags, joined by blanks.

    `concepts` are the labels to take, by default all there are files of, in the order of their names; `pictures` is the
    folder that listed paths start from. Raises `ConfigError` for files that are missing or do not go together.
    """
    chosen = list(concepts) or _concepts(path / labels)
    files = [path / images, path / tags, *(path / labels / f"Labels_{concept}.txt" for concept in chosen)]
    with ExitStack() as stack:
        for number, lines in enumerate(_together(files, stack), 1):
            listed, tagged, marks = lines[0].strip(), lines[1].split(), [line.strip() for line in lines[2:]]
            if set(marks) - {"0", "1"}:
                raise ConfigError(f"{path / labels} line {number}: a label is neither 0 nor 1")
            origin, name = f"{Path(images).name} line {number}", listed.replace("\\", "/")
            _same_picture(path / tags, number, name, tagged)
            try:
                place, moved = (None, False) if pictures is None else place_of(path / pictures, listed)
            except BadPair as error:
                yield RefusedPair.of(name, origin, error)
                continue
            found = tuple(concept for concept, mark in zip(chosen, marks, strict=True) if mark == "1")
            text = (" ".join(tagged[1:]),)
            yield Candidate(name, origin, labels=found, text=text, picture=place, re_rooted=moved)


def _concepts(folder: Path) -> list[str]:
    found = sorted(match[1] for place in folder.glob("Labels_*.txt") if (match := _LABELS.fullmatch(place.name)))
    if not found:
        raise ConfigError(f"{folder}: no files Labels_<concept>.txt; unpack the Groundtruth of NUS-WIDE there")
    return found


def _together(files: Sequence[Path], stack: ExitStack) -> Iterator[tuple[str, ...]]:
    place = files[0]
    try:
        opened = []
        for place in files:
            # their encoding is not one; what is no UTF-8 must not end an import
            opened.append(stack.enter_context(place.open(encoding="utf-8", errors="replace")))
        yield from zip(*opened, strict=True)
    except OSError as error:
        raise ConfigError(f"cannot read {place}: {error.strerror}") from None
    except ValueError:
        names = f"{files[0].name}, {files[1].name} and the files of labels"
        raise ConfigError(f"{files[0].parent.parent}: {names} have different numbers of lines") from None


def _same_picture(tags: Path, number: int, name: str, tagged: Sequence[str]) -> None:
    """`0001_2124494179.jpg` has the tags of number 2124494179."""
    stated = re.search(r"_(\d+)\.\w+$", name)
    if stated is not None and tagged and tagged[0] != stated[1]:
        raise ConfigError(
            f"{tags} line {number}: tags of {tagged[0]}, but the picture is {name}; the lists do not match"
        )
