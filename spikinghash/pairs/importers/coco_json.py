"""The importer `coco_json`: captions and instances of MS COCO (Lin et al., arXiv:1405.0312)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from spikinghash.errors import ConfigError
from spikinghash.pairs.import_pairs import Found
from spikinghash.pairs.importers.picture_place import place_of
from spikinghash.pairs.pair import BadPair, Candidate, RefusedPair

_MAX_BYTES = 2 << 30


def coco_pairs(
    path: Path,
    *,
    captions: Sequence[str],
    instances: Sequence[str] = (),
    pictures: Sequence[str] = (),
    splits: Sequence[str] = (),
) -> Iterator[Found]:
    """A pair a picture, out of one or several files of captions below the folder `path`.

    `instances` (whose categories are the labels, by name), `pictures` (folders; none: no pictures are read) and
    `splits` (what each file is) go with `captions` one by one. Ids are those of the pictures.
    Raises `ConfigError` for files that are no such JSON.
    """
    for what, some in (("instances", instances), ("pictures", pictures), ("splits", splits)):
        if some and len(some) != len(captions):
            raise ConfigError(f"{path}: {len(captions)} files of captions and {len(some)} {what} do not go together")
    for number, name in enumerate(captions):
        labels = _labels(path / instances[number]) if instances else {}
        folder = path / pictures[number] if pictures else None
        yield from _pairs(path / name, labels, folder, splits[number] if splits else None)


def _pairs(path: Path, labels: dict[int, list[str]], folder: Path | None, split: str | None) -> Iterator[Found]:
    content = _content(path, "images", "annotations")
    texts: dict[int, list[str]] = {}
    try:
        # the order in the file is not that of the captions' numbers
        for one in sorted(content["annotations"], key=lambda one: int(one["id"])):
            texts.setdefault(one["image_id"], []).append(str(one["caption"]))
        images = [(image["id"], str(image["file_name"])) for image in content["images"]]
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"{path}: no captions as of COCO: {type(error).__name__} {error}") from None
    for number, name in images:
        origin = f"{path.name} image {number}"
        try:
            place, moved = (None, False) if folder is None else place_of(folder, name)
        except BadPair as error:
            yield RefusedPair.of(str(number), origin, error)
            continue
        yield Candidate(
            str(number), origin, labels=tuple(labels.get(number, ())), text=tuple(texts.get(number, ())),
            picture=place, split=split, re_rooted=moved,
        )  # fmt: skip


def _labels(path: Path) -> dict[int, list[str]]:
    """Names of the categories by number of the picture, in the order of the categories."""
    content = _content(path, "annotations", "categories")
    try:
        names = {one["id"]: str(one["name"]) for one in content["categories"]}
        found: dict[int, set[int]] = {}
        for one in content["annotations"]:
            found.setdefault(one["image_id"], set()).add(one["category_id"])
        return {image: [names[number] for number in sorted(some)] for image, some in found.items()}
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"{path}: no instances as of COCO: {type(error).__name__} {error}") from None


def _content(path: Path, *keys: str) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ConfigError(f"{path}: more than 2 GiB of JSON are no annotations of COCO")
        content = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot read {path}: {' '.join(str(error).split())}") from None
    missing = [key for key in keys if not isinstance(content, dict) or not isinstance(content.get(key), list)]
    if missing:
        raise ConfigError(f"{path}: no list {missing[0]!r}, as annotations of COCO have")
    return content
