"""The importer `caption_lines`: text files with a picture and a caption a line, as of Flickr8k and Flickr30k.

`captions.txt` (`image,caption`), `results.csv` (`image_name| comment_number| comment`) and `Flickr8k.token.txt`
(`image.jpg#0<tab>caption`).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from spikinghash.errors import ConfigError
from spikinghash.pairs.import_pairs import Found
from spikinghash.pairs.importers.picture_place import place_of
from spikinghash.pairs.pair import BadPair, Candidate, RefusedPair

_TOKEN = re.compile(r"(.+)#(\d+)\t(.*)")
_HEADERS = ("image,", "image_name|", "image_name,")


def caption_pairs(
    path: Path, *, pictures: str | None = None, split_files: Mapping[str, str] | None = None
) -> Iterator[Found]:
    """A pair a picture of the text file `path`, with all its captions in order; labels there are none.

    `pictures` is their folder, from that of `path` (without one, pairs have no pictures); `split_files` are lists of
    pictures by split, such as {"train": "Flickr_8k.trainImages.txt"}.
    Raises `ConfigError` for a file that is no such list.
    """
    splits = _splits(path.parent, split_files or {})
    captions: dict[str, list[str]] = {}
    lines: dict[str, int] = {}
    for number, picture, caption in _lines(path):
        captions.setdefault(picture, []).append(caption)
        lines.setdefault(picture, number)
    for picture, some in captions.items():
        origin = f"{path.name} line {lines[picture]}"
        try:
            place, moved = (None, False) if pictures is None else place_of(path.parent / pictures, picture)
        except BadPair as error:
            yield RefusedPair.of(picture, origin, error)
            continue
        split = splits.get(picture)
        yield Candidate(picture, origin, text=tuple(some), picture=place, split=split, re_rooted=moved)


def _lines(path: Path) -> Iterator[tuple[int, str, str]]:
    for number, line in enumerate(_text(path).splitlines(), 1):
        if not line.strip() or (number == 1 and line.lower().replace(" ", "").startswith(_HEADERS)):
            continue
        token = _TOKEN.fullmatch(line)
        if token is not None:
            yield number, token[1].strip(), token[3]
        elif line.count("|") >= 2:
            picture, _, caption = line.split("|", 2)
            yield number, picture.strip(), caption.strip()
        elif "," in line:
            picture, _, caption = line.partition(",")
            # captions with commas may be quoted, and often are not
            yield number, picture.strip(), next(csv.reader([caption]), [""])[0] if _quoted(caption) else caption
        else:
            raise ConfigError(f"{path} line {number}: no picture and caption; write `image,caption`")


def _quoted(caption: str) -> bool:
    return len(caption) > 1 and caption.startswith('"') and caption.rstrip().endswith('"')


def _splits(folder: Path, files: Mapping[str, str]) -> dict[str, str]:
    splits: dict[str, str] = {}
    for split, name in files.items():
        for picture in _text(folder / name).split():
            if splits.setdefault(picture, split) != split:
                raise ConfigError(
                    f"{folder / name}: {picture} is in the list of {splits[picture]}, too; leave it in one"
                )
    return splits


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}") from None
