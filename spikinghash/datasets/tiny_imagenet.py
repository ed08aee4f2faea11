"""Tiny-ImageNet: 200 classes of ImageNet at 64x64, 500 training pictures each (Stanford CS231n).

`train/<wnid>/images/<wnid>_N.JPEG`, and `val/images/val_N.JPEG` whose classes stand in `val/val_annotations.txt`.
Labels are WordNet ids. As everybody does, `val` is the test split here: the pictures of `test` have no published labels
and are not listed.
"""

from __future__ import annotations

from pathlib import Path

from spikinghash.datasets.recording import Recording
from spikinghash.datasets.walk import files_below, lines_of, need, recording_at
from spikinghash.errors import ConfigError

SENSOR = (64, 64)
LIST = "val_annotations.txt"
DOWNLOAD = (
    "get tiny-imagenet-200.zip from cs231n.stanford.edu/tiny-imagenet-200.zip and unpack it there, so that "
    "train/n01443537/images/n01443537_0.JPEG and val/val_annotations.txt exist"
)
_FOLDER = "tiny-imagenet-200"


def find(root: Path) -> list[Recording]:
    """Recordings of `train` and `val`; raises `ConfigError` for an empty folder or a picture of `val` without class."""
    base = root / _FOLDER if (root / _FOLDER).is_dir() else root
    train = [parts for parts in files_below(base / "train") if parts[-2:-1] == ("images",) and len(parts) == 3]
    val = [parts for parts in files_below(base / "val") if parts[0] == "images" and len(parts) == 2]
    listed = base / "val" / LIST
    classes = {words[0]: words[1] for words in lines_of(listed) if len(words) > 1} if val else {}
    strange = next((name for _, name in val if name not in classes), None)
    if strange is not None:
        raise ConfigError(f"{listed}: says nothing of {strange}; unpack tiny-imagenet-200.zip again")
    prefix = base.relative_to(root).parts
    pictures = [
        recording_at(root, (*prefix, "train", *parts), parts[0], split="train", sensor=SENSOR) for parts in train
    ]
    pictures += [
        recording_at(root, (*prefix, "val", *parts), classes[parts[-1]], split="test", sensor=SENSOR) for parts in val
    ]
    return need(pictures, root, DOWNLOAD)
