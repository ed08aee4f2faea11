"""ASL-DVS: 24 letters of American sign language, DAVIS240C, 100,800 recordings (Bi et al., ICCV 2019).

`<letter>/<letter>_NNNN.mat` with column vectors ts, x, y, pol. There is no official split.
"""

from __future__ import annotations

from pathlib import Path

from spikinghash.datasets.recording import Recording
from spikinghash.datasets.walk import files_below, need, recording_at
from spikinghash.events.options import ReadOptions

SENSOR = (240, 180)
OPTIONS = ReadOptions(flip_y=True)
DOWNLOAD = (
    "get ICCV2019_DVS_dataset from its authors (github.com/PIX2NVS/NVS2Graph) and unpack its archives there, so that "
    "a/a_0001.mat exists"
)


def find(root: Path) -> list[Recording]:
    """Recordings, labelled by the folder they lie in; raises `ConfigError` for an empty folder."""
    files = [parts for parts in files_below(root, (".mat",)) if len(parts) > 1]
    found = [recording_at(root, parts, parts[-2], sensor=SENSOR, options=OPTIONS) for parts in files]
    return need(found, root, DOWNLOAD)
