"""N-Caltech101: Caltech101 images before a moving ATIS (Orchard et al., Frontiers in Neuroscience 2015).

`Caltech101/<class>/image_NNNN.bin` in the record of N-MNIST. Images differ in size; all lie within 240x180. There is no
official split.
"""

from __future__ import annotations

from pathlib import Path

from spikinghash.datasets.recording import Recording
from spikinghash.datasets.walk import Parts, files_below, need, recording_at

SENSOR = (240, 180)
DOWNLOAD = (
    "get N-Caltech101-archive.zip from data.mendeley.com/datasets/cy6cvx3ryv, unpack it and the Caltech101.zip in it "
    "there, so that Caltech101/airplanes/image_0001.bin exists"
)


def find(root: Path) -> list[Recording]:
    """Recordings, labelled by the folder they lie in; raises `ConfigError` for an empty folder."""
    files = [parts for parts in files_below(root, (".bin",)) if len(parts) > 1 and not _is_annotation(parts)]
    return need([recording_at(root, parts, parts[-2], sensor=SENSOR) for parts in files], root, DOWNLOAD)


def _is_annotation(parts: Parts) -> bool:
    """Outlines of the objects come in `Caltech101_annotations/<class>/annotation_NNNN.bin`."""
    return parts[-1].startswith("annotation_")
