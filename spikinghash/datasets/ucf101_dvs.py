"""UCF101-DVS: UCF101 videos on a screen before a DAVIS240C (Bi et al., IEEE TIP 2020).

`<Class>/v_<Class>_gNN_cNN.mat` with column vectors ts, x, y, pol; y is stored upside down. BrainCog moves the clips of
UCF101's `testlist01.txt` to `val/<Class>` and the rest to `train/<Class>`. A list in the root or in `ucfTrainTestlist`
names the test clips as `<Class>/v_..._.avi`.
"""

from __future__ import annotations

from pathlib import Path

from spikinghash.datasets.recording import Recording
from spikinghash.datasets.walk import files_below, lines_of, need, recording_at
from spikinghash.errors import ConfigError
from spikinghash.events.options import ReadOptions

SENSOR = (240, 180)
OPTIONS = ReadOptions(flip_y=True)
LISTS = ("testlist01.txt", "ucfTrainTestlist/testlist01.txt")
DOWNLOAD = (
    "get UCF101-DVS from its authors (github.com/PIX2NVS/NVS_FeatureLearning) and unpack it there, so that "
    "ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c01.mat exists; put testlist01.txt of UCF101 beside the class folders for the "
    "official split"
)
#: BrainCog's `val` folder holds the official test clips.
_FOLDERS = {"train": "train", "val": "test", "test": "test"}


def find(root: Path) -> list[Recording]:
    """Recordings, labelled by the folder they lie in, with the official split where a list or folders say so.

    Raises `ConfigError` for an empty folder and for a list that names none of the clips.
    """
    files = [parts for parts in files_below(root, (".mat",)) if len(parts) > 1]
    tests = listed_stems(root)
    named = [parts for parts in files if tests and _stem(parts[-1]) in tests]
    if tests and files and not named:
        raise ConfigError(f"{root}: testlist01.txt names none of the {len(files)} clips; is it that of UCF101?")
    found = []
    for parts in files:
        listed = None if tests is None else "test" if _stem(parts[-1]) in tests else "train"
        split = listed or _FOLDERS.get(parts[0])
        found.append(recording_at(root, parts, _class(parts[-2]), split=split, sensor=SENSOR, options=OPTIONS))
    return need(found, root, DOWNLOAD)


def listed_stems(root: Path) -> set[str] | None:
    """Names of the official test clips without class and ending, None without a list."""
    for name in LISTS:
        if (root / name).is_file():
            return {_stem(words[0].rpartition("/")[2]) for words in lines_of(root / name)}
    return None


def _stem(name: str) -> str:
    return _class(Path(name).stem)


def _class(name: str) -> str:
    """One spelling of the class that copies of the data set spell in two ways."""
    return name.replace("Billards", "Billiards")
