"""Folder layouts: where a data set keeps its recordings, labels and splits."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from spikinghash.datasets import (
    asl_dvs,
    cifar,
    cifar10_dvs,
    dvs128_gesture,
    hardvs,
    hmdb51_dvs,
    image_folder,
    image_parquet,
    n_caltech101,
    tiny_imagenet,
    ucf101_dvs,
)
from spikinghash.datasets.class_folders import find_in_class_folders
from spikinghash.datasets.labels_csv import find_listed
from spikinghash.datasets.picture_file import ONE_PICTURE, PictureFile
from spikinghash.datasets.recording import Recording
from spikinghash.errors import ConfigError

#: A function (root) -> recordings each; every data set of its own has a file named for it, which says what to download.
LAYOUTS: dict[str, Callable[[Path], list[Recording]]] = {
    "class_folders": find_in_class_folders,
    "labels_csv": find_listed,
    "asl_dvs": asl_dvs.find,
    "cifar10_dvs": cifar10_dvs.find,
    "cifar10_dvs_spikingjelly": cifar10_dvs.find_as_spikingjelly,
    "dvs128_gesture": dvs128_gesture.find,
    "hardvs": hardvs.find,
    "hmdb51_dvs": hmdb51_dvs.find,
    "n_caltech101": n_caltech101.find,
    "ucf101_dvs": ucf101_dvs.find,
    "image_folder": image_folder.find,
    "image_parquet": image_parquet.find,
    "cifar": cifar.find,
    "tiny_imagenet": tiny_imagenet.find,
}
#: The layouts above whose recordings are pictures, and how pictures lie in their files.
PICTURE_FILES: dict[str, PictureFile] = {
    "image_folder": ONE_PICTURE,
    "image_parquet": image_parquet.FILE,
    "cifar": cifar.FILE,
    "tiny_imagenet": ONE_PICTURE,
}
#: Layouts of no data set in particular.
GENERAL = ("class_folders", "labels_csv", "image_folder", "image_parquet")


def find_recordings(root: Path, layout: str) -> list[Recording]:
    """All recordings below `root`, sorted by id, each id once; none is decoded.

    `labels_csv` is a table, see `find_listed`; `class_folders` is `<split>/<label>/<file>` or `<label>/<file>`, see
    `find_in_class_folders`; the others are data sets as they are downloaded. Links are listed: the reader follows those
    to regular files and refuses the others. Raises `ConfigError` for a missing root, an unknown layout, duplicate ids
    and whatever the layout calls wrong.
    """
    if layout not in LAYOUTS:
        raise ConfigError(f"unknown layout {layout!r}; known are: {', '.join(LAYOUTS)}")
    if not root.is_dir() and layout in GENERAL:
        raise ConfigError(f"the data folder {root} does not exist; check the path or download the data set")
    found = sorted(LAYOUTS[layout](root), key=lambda recording: recording.recording_id)
    for first, second in pairwise(found):
        if first.recording_id == second.recording_id:
            raise ConfigError(f"{root}: the recording {first.recording_id!r} appears twice; ids must be unique")
    return found
