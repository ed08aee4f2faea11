"""CIFAR10-DVS: 10,000 CIFAR-10 images moved before a DVS128 (Li et al., Frontiers in Neuroscience 2017).

`<class>/cifar10_<class>_<0-999>.aedat` (AEDAT 2.0), tonic's copy in `.aedat4`, or SpikingJelly's `.npz`. There is no
official split: one is drawn, seeded and published with the frames.
"""

from __future__ import annotations

from pathlib import Path

from spikinghash.datasets.recording import Recording
from spikinghash.datasets.walk import files_below, need, recording_at
from spikinghash.events.options import DEFAULTS, ReadOptions

SENSOR = (128, 128)
DOWNLOAD = (
    "get the ten archives airplane.zip ... truck.zip from figshare.com article 4724671 and unpack them there, so that "
    "airplane/cifar10_airplane_0.aedat exists"
)
#: SpikingJelly, and with it most published results, turns the picture by this against jAER.
SPIKINGJELLY = ReadOptions(flip_x=True, flip_y=True, transpose=True)


def find(root: Path, options: ReadOptions = DEFAULTS) -> list[Recording]:
    """Recordings, labelled by the folder they lie in, as jAER shows them; raises `ConfigError` for an empty folder."""
    found = [
        # SpikingJelly's own files are turned already
        recording_at(root, parts, parts[-2], sensor=SENSOR, options=DEFAULTS if parts[-1].endswith("npz") else options)
        for parts in files_below(root, (".aedat", ".aedat4", ".npz"))
        if len(parts) > 1
    ]
    return need(found, root, DOWNLOAD)


def find_as_spikingjelly(root: Path) -> list[Recording]:
    """As `find`, with x and y as SpikingJelly decodes them."""
    return find(root, SPIKINGJELLY)
