"""The `class_folders` layout: a folder for each class, perhaps below one for each split."""

from __future__ import annotations

from pathlib import Path

from spikinghash.datasets.recording import Recording
from spikinghash.datasets.split_names import SPLIT_NAMES
from spikinghash.datasets.walk import files_below, recording_at


def find_in_class_folders(root: Path) -> list[Recording]:
    """`<split>/<label>/<file>` if every top folder is named like a split, else `<label>/<file>`.

    Deeper folders belong to the id. Files above the class folders and hidden files are no recordings.
    """
    files = files_below(root)
    tops = {parts[0] for parts in files if len(parts) > 1}
    depth = 1 if tops and tops <= set(SPLIT_NAMES) else 0
    return [
        recording_at(root, parts, parts[depth], split=SPLIT_NAMES[parts[0]] if depth else None)
        for parts in files
        if len(parts) >= depth + 2
    ]
