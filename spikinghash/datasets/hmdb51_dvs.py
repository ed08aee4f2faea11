"""HMDB51-DVS: HMDB51 videos on a screen before a DAVIS240C (Bi et al., IEEE TIP 2020).

Two forms: `<class>/<name>.mat` as in UCF101-DVS, y upside down, or `<class>/<name>.aedat`, AEDAT 2.0 of a DAVIS240C.
The official split comes as `<class>_test_split1.txt`, lines of `<name>.avi` and 1 (train), 2 (test) or 0 (not used).
"""

from __future__ import annotations

from pathlib import Path

from spikinghash.datasets.recording import Recording
from spikinghash.datasets.walk import files_below, lines_of, need, recording_at
from spikinghash.errors import ConfigError
from spikinghash.events.options import ReadOptions

SENSOR = (240, 180)
OPTIONS = {".mat": ReadOptions(flip_y=True), ".aedat": ReadOptions(layout="davis240")}
DOWNLOAD = (
    "get HMDB51-DVS from its authors (github.com/PIX2NVS/NVS_FeatureLearning) and unpack it there, so that "
    "brush_hair/*.mat or brush_hair/*.aedat exists; put HMDB51's *_test_split1.txt there for the official split"
)
LIST = "_test_split1.txt"
_SPLITS = {"1": "train", "2": "test", "0": None}


def find(root: Path) -> list[Recording]:
    """Recordings, labelled by the folder they lie in; without those that an official split does not use.

    Raises `ConfigError` for an empty folder, and for lists that do not fit.
    """
    files = [parts for parts in files_below(root, OPTIONS) if len(parts) > 1]
    kinds = sorted({Path(parts[-1]).suffix.lower() for parts in files})
    if len(kinds) > 1:
        raise ConfigError(f"{root} mixes {' and '.join(kinds)} files, which are read differently; keep one form")
    splits = _official(root)
    found = []
    for parts in files:
        stem = Path(parts[-1]).stem
        if splits is not None and stem not in splits:
            raise ConfigError(f"{root.joinpath(*parts)} is in none of the lists *{LIST}; complete or remove them")
        if splits is None or splits[stem] is not None:
            split = None if splits is None else splits[stem]
            found.append(recording_at(root, parts, parts[-2], split=split, sensor=SENSOR, options=OPTIONS[kinds[0]]))
    return need(found, root, DOWNLOAD)


def _official(root: Path) -> dict[str, str | None] | None:
    lists = files_below(root, (LIST,))
    splits: dict[str, str | None] = {}
    for parts in lists:
        for words in lines_of(root.joinpath(*parts)):
            if len(words) != 2 or words[1] not in _SPLITS:
                raise ConfigError(f"{root.joinpath(*parts)}: {' '.join(words)!r} is not a name and 0, 1 or 2")
            splits[Path(words[0]).stem] = _SPLITS[words[1]]
    return splits if lists else None
