"""The `image_folder` layout: PNG and JPEG pictures in a folder for each class, perhaps below one for each split."""

from __future__ import annotations

from pathlib import Path

from spikinghash.datasets.class_folders import find_in_class_folders
from spikinghash.datasets.recording import Recording
from spikinghash.datasets.walk import need

EXPECTED = "put pictures there as <split>/<label>/<file> or <label>/<file>, PNG or JPEG"


def find(root: Path) -> list[Recording]:
    """All files in class folders, see `find_in_class_folders`; what is no picture is refused when it is read."""
    return need(find_in_class_folders(root), root, EXPECTED)
