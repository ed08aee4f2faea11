"""The default data set: scikit-learn's handwritten digits, filmed by the simulated event camera.

1,797 images of 8x8 pixels (Alpaydin and Kaynak 1998, "Optical Recognition of Handwritten Digits", UCI, CC BY 4.0;
bundled with scikit-learn) become recordings in N-MNIST format on a 34x34 sensor, made without any download.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from spikinghash.datasets.splits import hold_out
from spikinghash.events import nmnist
from spikinghash.events.camera import CameraParams, film
from spikinghash.events.events import Events
from spikinghash.events.saccade import saccade_path, show_image

TEST_FRACTION = 0.3
FRAMES_PER_SACCADE = 20
PATH_PX = 6.0
#: A digit of 8 pixels covers 24 sensor pixels, give or take the jitter of each sample.
SCALE = 3.0
SCALE_JITTER = 0.06
POSITION_JITTER_PX = 1.0
#: Luminance of the background when that of the stroke is 1.
DARK = 0.2
_OURS = re.compile(r"(train|test)/[0-9]/[0-9]{4}\.bin")


def synthesize_digits(root: Path, *, seed: int, camera: CameraParams, limit: int | None = None) -> int:
    """Write `<root>/<train|test>/<label>/<index>.bin` for each digit and return how many there are.

    Same seed and camera, same bytes; a recording depends on its index, not on what was made before. `limit` keeps the
    first so many. The split is 70:30, drawn per class. Recordings of an earlier run that are not part of this one
    are removed, other files are left alone.
    """
    digits = load_digits()
    images: NDArray[np.float64] = digits.images[:limit] / 16
    labels = {f"{index:04}": str(label) for index, label in enumerate(digits.target[:limit])}
    test = hold_out(labels, TEST_FRACTION, seed=seed, purpose="digits")
    names = {f"{'test' if name in test else 'train'}/{label}/{name}.bin" for name, label in labels.items()}
    _remove_others(root, names)
    for relative in sorted(names):
        path = root / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        nmnist.write(path, film_digit(images[int(path.stem)], int(path.stem), seed=seed, camera=camera))
    return len(names)


def film_digit(image: NDArray[np.float64], index: int, *, seed: int, camera: CameraParams) -> Events:
    """Events of one digit image [8, 8] with values in 0..1; `seed` and `index` fix its size and place."""
    rng = np.random.default_rng([seed, 2, index])
    path, times_us = saccade_path(FRAMES_PER_SACCADE, PATH_PX)
    place = rng.uniform(-POSITION_JITTER_PX, POSITION_JITTER_PX, size=2)
    scale = SCALE * rng.uniform(1 - SCALE_JITTER, 1 + SCALE_JITTER)
    clip = show_image(image, path + place, sensor=nmnist.SENSOR, scale=scale, dark=DARK)
    return film(clip, times_us, camera, sample=index)


def _remove_others(root: Path, names: set[str]) -> None:
    for path in root.glob("*/*/*.bin"):
        relative = path.relative_to(root).as_posix()
        if _OURS.fullmatch(relative) and relative not in names:
            path.unlink()
