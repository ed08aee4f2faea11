import io

import numpy as np
from PIL import Image

from spikinghash.pairs.digit_pairs import DIGITS, TILTS, Look, digit_pairs, draw, write_digit_pairs
from spikinghash.pairs.pair_file import PairFile


def test_same_seed_same_bytes_and_a_pair_depends_on_its_number(tmp_path):
    for name, limit in (("a", 40), ("b", 40)):
        assert write_digit_pairs(tmp_path / name, seed=3, limit=limit) == 40
    assert (tmp_path / "a/pairs.parquet").read_bytes() == (tmp_path / "b/pairs.parquet").read_bytes()
    few, other = list(digit_pairs(seed=3, limit=20)), list(digit_pairs(seed=4, limit=20))
    same = zip(few, PairFile.open(tmp_path / "a").pairs(), strict=False)
    assert all((a.image, a.text, a.labels) == (b.image, b.text, b.labels) for a, b in same)
    assert [pair.text for pair in few] != [pair.text for pair in other]


def test_it_is_about_1800_pairs_of_every_digit_tilt_and_split():
    pairs = list(digit_pairs(seed=1))
    assert len(pairs) == 1797
    assert len({pair.image for pair in pairs}) > 1790
    splits = [pair.split for pair in pairs]
    assert {split: round(splits.count(split) / 1797, 2) for split in set(splits)} == {
        "test": 0.25, "database": 0.08, "val": 0.07, "train": 0.61,
    }  # fmt: skip
    for split in set(splits):
        of_split = [pair for pair in pairs if pair.split == split]
        assert {pair.labels[0] for pair in of_split} == set(DIGITS)
        assert {pair.labels[1] for pair in of_split} == set(TILTS)


def test_sentences_say_what_the_labels_say():
    leans = {"tilted left": "left", "tilted right": "right"}
    for pair in digit_pairs(seed=1, limit=100):
        digit, tilt = pair.labels
        assert digit in pair.text[0]
        assert digit in pair.text[1]
        assert str(DIGITS.index(digit)) in pair.text[2]
        assert leans.get(tilt, "") in pair.text[0]


def test_a_digit_leans_to_the_side_that_is_said():
    """A bar drawn upright: the upper half of its ink lies on the side it leans to."""
    bar = np.zeros((8, 8))
    bar[1:7, 3:5] = 1
    for degrees, side in ((20.0, -1), (0.0, 0), (-20.0, 1)):
        ink = 255 - draw(bar, Look("upright", "medium", "plain", "", degrees)).astype(float)
        rows, columns = np.mgrid[:32, :32]
        upper, lower = (((ink * columns * half).sum() / (ink * half).sum()) for half in (rows < 16, rows >= 16))
        assert np.sign(round(upper - lower, 2)) == side


def test_pictures_are_small_and_grey_on_white():
    pair = next(digit_pairs(seed=1, limit=20))
    image = np.asarray(Image.open(io.BytesIO(pair.image)))
    assert (image.shape, image.dtype) == ((32, 32), np.uint8)
    assert image.min() < 100
    assert (image == 255).mean() > 0.4


def test_size_stroke_and_place_are_to_be_seen():
    dot = np.zeros((8, 8))
    dot[2:6, 2:6] = 0.6

    def ink(**changes):
        plain = {"tilt": "upright", "size": "medium", "stroke": "plain", "place": "", "degrees": 0.0}
        return 255 - draw(dot, Look(**plain | changes)).astype(float)

    def middle(image, axis):
        places = np.arange(32) + 0.5
        return (image.sum(axis=1 - axis) * places).sum() / image.sum()

    assert ink(size="small").sum() < ink().sum() < ink(size="large").sum()
    assert ink(stroke="thin").sum() < ink().sum() < ink(stroke="bold").sum()
    assert np.allclose([middle(ink(), 0), middle(ink(), 1)], 16, atol=0.6)
    assert middle(ink(place="on the left"), 1) < 14 < 18 < middle(ink(place="on the right"), 1)
    assert middle(ink(place="at the top"), 0) < 14 < 18 < middle(ink(place="at the bottom"), 0)
