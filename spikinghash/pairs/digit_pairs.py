"""A small set of pairs of our own: scikit-learn's handwritten digits, moved about, and sentences about each.

1,797 digits of 8x8 pixels (Alpaydin and Kaynak 1998, "Optical Recognition of Handwritten Digits", UCI, CC BY 4.0;
bundled with scikit-learn); no download. The labels of a pair are its digit and how it leans.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_digits

from spikinghash.datasets.splits import hold_out
from spikinghash.pairs.pair import Pair
from spikinghash.pairs.pair_file import PairWriter

SIDE, SCALE = 32, 2.75
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
#: Degrees counter-clockwise, from and to; factors of the size; exponents of the ink; pixels to the right and down.
TILTS = {"tilted left": (14.0, 28.0), "upright": (-4.0, 4.0), "tilted right": (-28.0, -14.0)}
SIZES = {"small": 0.7, "medium": 1.0, "large": 1.25}
STROKES = {"thin": 2.2, "plain": 1.0, "bold": 0.45}
PLACES = {"on the left": (-4, 0), "on the right": (4, 0), "at the top": (0, -4), "at the bottom": (0, 4), "": (0, 0)}
TEST_FRACTION, DATABASE_FRACTION, VAL_FRACTION = 0.25, 0.1, 0.1
_LEANS = {
    "tilted left": ("tilted left", "leaning to the left"),
    "upright": ("upright", "standing straight"),
    "tilted right": ("tilted right", "leaning to the right"),
}
_STROKE_WORDS = {"thin": "drawn thin", "plain": "drawn with a plain pen", "bold": "drawn bold"}


@dataclass(frozen=True)
class Look:
    """How a digit is drawn: names out of the tables above, and its turn in degrees."""

    tilt: str
    size: str
    stroke: str
    place: str
    degrees: float


def write_digit_pairs(folder: Path, *, seed: int, limit: int | None = None) -> int:
    """Write `<folder>/pairs.parquet` and return how many pairs there are; `limit` keeps the first so many digits.

    Same seed, same bytes (with one version of pyarrow and Pillow); a pair depends on its number, not on those before.
    """
    with PairWriter(folder, {"importer": "digit_pairs", "seed": seed, "limit": limit}) as writer:
        count = 0
        for pair in digit_pairs(seed=seed, limit=limit):
            writer.add(pair)
            count += 1
    return count


def digit_pairs(*, seed: int, limit: int | None = None) -> Iterator[Pair]:
    """A pair a digit: a PNG of 32x32 pixels, three sentences, two labels; a quarter asks, drawn per digit."""
    digits = load_digits()
    images: NDArray[np.float64] = digits.images[:limit] / 16
    names = {f"{index:04}": str(label) for index, label in enumerate(digits.target[:limit])}
    splits = _splits(names, seed)
    for index, (name, label) in enumerate(names.items()):
        rng = np.random.default_rng([seed, 3, index])
        look, word = _look(rng), DIGITS[int(label)]
        yield Pair(
            name, name, splits[name], labels=(word, look.tilt), image=_png(draw(images[index], look)),
            text=_sentences(rng, word, label, look), origin=f"digit {index}",
        )  # fmt: skip


def draw(image: NDArray[np.float64], look: Look) -> NDArray[np.uint8]:
    """An image [8, 8] of ink, 0 to 1, as dark ink on white paper, uint8 [32, 32]."""
    ink = np.clip(image, 0, 1) ** STROKES[look.stroke]
    zoom, angle = SCALE * SIZES[look.size], math.radians(look.degrees)
    right, down = PLACES[look.place]
    a, b, middle = math.cos(angle) / zoom, math.sin(angle) / zoom, SIDE / 2
    x, y = middle + right, middle + down
    # from a pixel of the picture to the place of the digit that it shows; y grows downwards
    matrix = (a, -b, 4 - a * x + b * y, b, a, 4 - b * x - a * y)
    shown = Image.fromarray(ink.astype(np.float32)).transform(
        (SIDE, SIDE), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR
    )
    return (255 * (1 - np.clip(np.asarray(shown), 0, 1))).round().astype(np.uint8)


def _splits(names: dict[str, str], seed: int) -> dict[str, str]:
    splits = dict.fromkeys(names, "train")
    for split, share in (("test", TEST_FRACTION), ("database", DATABASE_FRACTION), ("val", VAL_FRACTION)):
        left = {name: label for name, label in names.items() if splits[name] == "train"}
        splits |= dict.fromkeys(hold_out(left, share, seed=seed, purpose=f"digit pairs {split}"), split)
    return splits


def _look(rng: np.random.Generator) -> Look:
    tilt, size, stroke, place = (str(rng.choice(list(table))) for table in (TILTS, SIZES, STROKES, PLACES))
    return Look(tilt, size, stroke, place, float(rng.uniform(*TILTS[tilt])))


def _sentences(rng: np.random.Generator, word: str, figure: str, look: Look) -> tuple[str, ...]:
    lean = str(rng.choice(_LEANS[look.tilt]))
    stroke, place = _STROKE_WORDS[look.stroke], f" {look.place}" if look.place else " in the middle"
    return (
        f"{'an' if word == 'eight' else 'a'} {word} {lean}, {stroke}",
        f"a {look.size} {word}{place} of the paper",
        f"the figure {figure}, {look.size} and {look.stroke}, {lean}{place}",
    )


def _png(pixels: NDArray[np.uint8]) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()
