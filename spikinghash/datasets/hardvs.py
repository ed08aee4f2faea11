"""HARDVS: 300 human actions, DAVIS346, 107,646 recordings (Wang et al., AAAI 2024).

`action_NNN/dvSave-<time>.npz`, perhaps below `MINI_HARDVS_files`, and the lists `train_label.txt`, `val_label.txt`,
`test_label.txt`, whose lines start with `action_NNN/dvSave-<time>`.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from spikinghash.datasets.recording import Recording
from spikinghash.datasets.walk import files_below, lines_of, need, recording_at
from spikinghash.errors import ConfigError
from spikinghash.schema import SPLITS

SENSOR = (346, 260)
DOWNLOAD = (
    "get the compact event files and the three lists from github.com/Event-AHU/HARDVS and unpack them there, so that "
    "train_label.txt and MINI_HARDVS_files/action_001/dvSave-*.npz exist"
)


def find(root: Path) -> list[Recording]:
    """All listed recordings, and all files without lists; the label is the folder's name.

    A listed file that is missing is still returned: reading it fails and is recorded like any other bad file.
    Raises `ConfigError` for an empty folder and for lists that lead out of it.
    """
    base = root / "MINI_HARDVS_files" if (root / "MINI_HARDVS_files").is_dir() else root
    prefix = base.relative_to(root).parts
    lists = {
        split: path
        for split in SPLITS
        for path in (root / f"{split}_label.txt", base / f"{split}_label.txt")
        if path.is_file()
    }
    if not lists:
        parts_found = [parts for parts in files_below(root, (".npz",)) if len(parts) > 1]
        return need([recording_at(root, parts, parts[-2], sensor=SENSOR) for parts in parts_found], root, DOWNLOAD)
    found = []
    for split, path in lists.items():
        for words in lines_of(path):
            listed = PurePosixPath(words[0])
            if len(listed.parts) != 2 or ".." in listed.parts or listed.is_absolute():
                raise ConfigError(f"{path}: {words[0]!r} is not action_NNN/dvSave-<time>")
            folder, name = listed.parts
            parts = (*prefix, folder, f"{name.removesuffix('.npz')}.npz")
            found.append(recording_at(root, parts, folder, split=split, sensor=SENSOR))
    return need(found, root, DOWNLOAD)
