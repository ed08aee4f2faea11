"""DVS128 Gesture: 11 hand and arm gestures of 29 people, DVS128 (Amir et al., CVPR 2017).

Three forms are in circulation. As published: `userNN_<light>.aedat` with `userNN_<light>_labels.csv` (class 1-11,
startTime_usec, endTime_usec), `trials_to_train.txt`, `trials_to_test.txt`. tonic's: `ibmGestureTrain/userNN_<light>/
<0-10>.npy` and `ibmGestureTest/...`, times in ms. SpikingJelly's: `events_np/train|test/<0-10>/*.npz`. A label is the
class number from 01 and its name, the same in all forms.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

from spikinghash.datasets.recording import Recording
from spikinghash.datasets.walk import Parts, files_below, lines_of, need, recording_at
from spikinghash.errors import ConfigError
from spikinghash.events.options import DEFAULTS, ReadOptions

SENSOR = (128, 128)
NAMES = (
    "hand clapping", "right hand wave", "left hand wave", "right arm clockwise", "right arm counter clockwise",
    "left arm clockwise", "left arm counter clockwise", "arm roll", "air drums", "air guitar", "other gestures",
)  # fmt: skip
DOWNLOAD = (
    "get DvsGesture.tar.gz from research.ibm.com/interactive/dvsgesture and unpack it there, so that "
    "DvsGesture/user01_led.aedat, its _labels.csv and trials_to_train.txt exist"
)
LABELS = "_labels.csv"
COLUMNS = ("class", "startTime_usec", "endTime_usec")
#: Where there are no lists of trials: users up to this one are for training.
LAST_TRAIN_USER = 23
_USER = re.compile(r"user(\d+)_")
_FOLDERS = {"ibmGestureTrain": "train", "ibmGestureTest": "test", "train": "train", "test": "test"}


def find(root: Path) -> list[Recording]:
    """Recordings in whichever form is there; intervals of one AEDAT file are recordings of their own.

    An interval holds startTime <= t < endTime and is cut on its own, since intervals of `user22_led` overlap.
    Raises `ConfigError` for an empty folder, and for tables that are not as published.
    """
    found: list[Recording] = []
    for parts in files_below(root, (LABELS, ".npy", ".npz")):
        found += _intervals(root, parts) if parts[-1].endswith(LABELS) else [_cut_clip(root, parts)]
    return need(found, root, DOWNLOAD)


def _intervals(root: Path, parts: Parts) -> list[Recording]:
    table = root.joinpath(*parts)
    aedat = (*parts[:-1], parts[-1].removesuffix(LABELS) + ".aedat")
    split = _split_of(table.parent, aedat[-1])
    found = []
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            rows = [
                [int(row[key]) for key in ("class", "startTime_usec", "endTime_usec")] for row in csv.DictReader(file)
            ]
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise ConfigError(
            f"{table}: not the columns class, startTime_usec, endTime_usec in numbers: {error}"
        ) from error
    for number, start, end in rows:
        whole = recording_at(root, aedat, _label(number - 1, table), split=split, sensor=SENSOR)
        found.append(whole.interval(start, end - 1))
    return found


def _split_of(folder: Path, name: str) -> str:
    for split in ("train", "test"):
        trials = folder / f"trials_to_{split}.txt"
        if trials.is_file() and [name] in lines_of(trials):
            return split
    user = _USER.match(name)
    if user is None:
        raise ConfigError(f"{folder / name}: in no list of trials, and its name does not start with a user's number")
    return "train" if int(user[1]) <= LAST_TRAIN_USER else "test"


def _cut_clip(root: Path, parts: Parts) -> Recording:
    path = root.joinpath(*parts)
    split = next((_FOLDERS[part] for part in parts[:-1] if part in _FOLDERS), None)
    tonic = path.suffix == ".npy"
    number = path.stem if tonic else path.parent.name
    if split is None or not number.isdecimal():
        raise ConfigError(f"{path}: not in a folder as tonic or SpikingJelly make it; {DOWNLOAD}")
    options = ReadOptions(time_unit="ms") if tonic else DEFAULTS
    return recording_at(root, parts, _label(int(number), path), split=split, sensor=SENSOR, options=options)


def _label(number: int, where: Path) -> str:
    if not 0 <= number < len(NAMES):
        raise ConfigError(f"{where}: there is no class {number + 1}, only 1 to {len(NAMES)}")
    return f"{number + 1:02} {NAMES[number]}"
