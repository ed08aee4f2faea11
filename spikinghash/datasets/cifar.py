"""CIFAR-10 and CIFAR-100, binary version (Krizhevsky 2009): a byte or two of labels, then 32x32 pixels, planes R, G, B.

`data_batch_*.bin`, `test_batch.bin` and `batches.meta.txt`, or `train.bin`, `test.bin` and `fine_label_names.txt`. The
python version is refused: its files are pickles, which can run code when they are opened.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from spikinghash.datasets.image_bytes import Pixels
from spikinghash.datasets.picture_file import Content, PictureFile, Size
from spikinghash.datasets.recording import Recording
from spikinghash.datasets.walk import need
from spikinghash.errors import BadRecording, ConfigError
from spikinghash.events.source import Source

SIDE_PX = 32
SENSOR = (SIDE_PX, SIDE_PX)
PIXEL_BYTES = 3 * SIDE_PX * SIDE_PX


@dataclass(frozen=True)
class Version:
    """One of the two data sets: its folder in the archive, the list of its class names, label bytes before the pixels.

    The last label byte is the class; CIFAR-100 has a coarse one before it.
    """

    folder: str
    names: str
    classes: int
    labels: int
    train: str
    test: str

    @property
    def record(self) -> int:
        """Bytes of one picture with its labels."""
        return self.labels + PIXEL_BYTES


TEN = Version("cifar-10-batches-bin", "batches.meta.txt", 10, 1, "data_batch_*.bin", "test_batch.bin")
HUNDRED = Version("cifar-100-binary", "fine_label_names.txt", 100, 2, "train.bin", "test.bin")
VERSIONS = (TEN, HUNDRED)
DOWNLOAD = (
    "get the binary version, cifar-10-binary.tar.gz or cifar-100-binary.tar.gz, from "
    "www.cs.toronto.edu/~kriz/cifar.html and unpack it there, so that cifar-10-batches-bin/data_batch_1.bin or "
    "cifar-100-binary/train.bin exist"
)
_PICKLES = ("cifar-10-batches-py", "cifar-100-python", "batches.meta", "data_batch_1", "meta")


def find(root: Path) -> list[Recording]:
    """A recording `<file>#NNNNN` for every record. A file that is no whole number of records is listed as one, to be
    refused when it is read.

    Raises `ConfigError` for an empty folder, the python version, both data sets in one folder, a wrong list of names.
    """
    places = [(root / part, version) for version in VERSIONS for part in (version.folder, ".")]
    there = [(folder, version) for folder, version in places if (folder / version.names).is_file()]
    if len(there) > 1:
        raise ConfigError(f"{root} holds CIFAR more than once; give the folder of one as dataset.path")
    pickles = next((name for name in _PICKLES if (root / name).exists()), None)
    if not there and pickles is not None:
        raise ConfigError(f"{root / pickles} is CIFAR's python version, pickles that are never opened here; {DOWNLOAD}")
    found = []
    for folder, version in there:
        names = _names(folder / version.names, version)
        for pattern, split in ((version.train, "train"), (version.test, "test")):
            for path in sorted(folder.glob(pattern)):
                found += _records(root, path, version, names, split)
    return need(found, root, DOWNLOAD)


def _names(path: Path, version: Version) -> list[str]:
    try:
        names = path.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}") from error
    if len(names) != version.classes or len(set(names)) != len(names):
        raise ConfigError(f"{path}: {version.classes} different names were expected; unpack the archive again")
    return names


def _records(root: Path, path: Path, version: Version, names: list[str], split: str) -> list[Recording]:
    name = path.relative_to(root).as_posix()
    try:
        data = np.fromfile(path, np.uint8)
    except OSError:
        data = np.empty(0, np.uint8)
    if len(data) == 0 or len(data) % version.record:
        return [Recording(name, path, split=split, sensor=SENSOR)]
    numbers = data.reshape(-1, version.record)[:, version.labels - 1].tolist()
    return [
        Recording(
            f"{name}#{i:05d}", path, label=names[n] if n < len(names) else None, split=split, sensor=SENSOR
        )
        for i, n in enumerate(numbers)
    ]  # fmt: skip


def _contents(source: Source, recordings: Sequence[Recording]) -> Iterator[Content]:
    version = TEN if source.path.match(TEN.train) or source.path.match(TEN.test) else HUNDRED
    size = version.record
    if len(source.data) % size or not source.data:
        raise BadRecording(
            "truncated", f"{len(source.data)} bytes are no whole number of records of {size}; get the file again"
        )
    if len(source.data) // size != len(recordings):
        raise BadRecording("changed", "the file changed after it was listed; run again when its writer is done")
    for i, recording in enumerate(recordings):
        yield recording, source.data[i * size : (i + 1) * size]


def _decode(record: bytes, size: Size | None) -> Pixels:
    version = TEN if len(record) == TEN.record else HUNDRED
    number = record[version.labels - 1]
    if number >= version.classes:
        raise BadRecording("label", f"its class number is {number}, there are {version.classes} classes")
    pixels: Pixels = np.frombuffer(record, np.uint8, PIXEL_BYTES, version.labels).reshape(3, SIDE_PX, SIDE_PX)
    if size in (None, SENSOR):
        return pixels
    image = Image.fromarray(pixels.transpose(1, 2, 0))
    return np.asarray(image.resize(size, Image.Resampling.BICUBIC)).transpose(2, 0, 1)


#: How pictures lie in one of the files.
FILE = PictureFile(_contents, _decode)
