"""Augmentation of pictures: each change against what it should do to known pixels, all repeatable."""

import numpy as np
import pytest
import torch

from spikinghash.training.augment import Augmentation
from spikinghash.training.augment_pictures import augment_pictures
from spikinghash.training.rand_augment import OPERATIONS, rand_augment

ALL = Augmentation(flip=True, crop_px=4, erase=0.5, rand_ops=2)


def pictures(B=64, side=16, seed=0):
    return torch.randint(0, 256, (B, 3, side, side), generator=generator(seed)).to(torch.uint8)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_nothing_asked_changes_nothing():
    x = pictures()
    assert torch.equal(augment_pictures(x, Augmentation(), generator()), x)


def test_repeatable_by_generator_and_input_kept():
    x = pictures()
    before = x.clone()
    first = augment_pictures(x, ALL, generator(3))
    assert first.shape == x.shape
    assert first.dtype == torch.uint8
    assert torch.equal(augment_pictures(x, ALL, generator(3)), first)
    assert not torch.equal(augment_pictures(x, ALL, generator(4)), first)
    assert torch.equal(x, before)


def test_flip_mirrors_about_half():
    x = pictures(400, 4)
    y = augment_pictures(x, Augmentation(flip=True), generator())
    mirrored = (y == x.flip(3)).flatten(1).all(1)
    kept = (y == x).flatten(1).all(1)
    assert (mirrored | kept).all()
    assert 150 < int(mirrored.sum()) < 250


def test_a_crop_is_a_window_of_the_padded_picture():
    x = pictures(40, 8)
    y = augment_pictures(x, Augmentation(crop_px=2), generator())
    padded = np.pad(x.numpy(), ((0, 0), (0, 0), (2, 2), (2, 2)), constant_values=128)
    places = set()
    for i in range(40):
        fits = [
            (top, left)
            for top in range(5)
            for left in range(5)
            if np.array_equal(y[i].numpy(), padded[i, :, top : top + 8, left : left + 8])
        ]
        assert len(fits) == 1
        places.add(fits[0])
    assert {top for top, _ in places} == {left for _, left in places} == set(range(5))


def test_erasing_makes_one_grey_rectangle_in_some():
    x = torch.full((400, 3, 16, 16), 7, dtype=torch.uint8)
    y = augment_pictures(x, Augmentation(erase=0.25), generator())
    assert set(y.unique().tolist()) == {7, 128}
    gone = (y == 128).any(1)
    hit = gone.flatten(1).any(1)
    assert 60 < int(hit.sum()) < 140
    for mask in gone[hit]:
        rows, columns = mask.any(1).nonzero().ravel(), mask.any(0).nonzero().ravel()
        box = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        assert box.all()
        assert 0.01 < box.numel() / 256 < 0.45


def test_rand_augment_leaves_about_half_alone():
    x = pictures(300, 16)
    y = rand_augment(x, 1, 9.0, generator())
    same = (y == x).flatten(1).all(1)
    assert 110 < int(same.sum()) < 200
    assert y.dtype == torch.uint8


def test_the_fifteen_operations():
    assert len(OPERATIONS) == 15


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("share", [0.0, 0.9, 1.0])
@pytest.mark.parametrize("sign", [-1, 1])
def test_every_operation_takes_the_whole_range(name, share, sign):
    from PIL import Image

    picture = Image.fromarray(pictures(1, 12, seed=5)[0].permute(1, 2, 0).contiguous().numpy())
    changed = OPERATIONS[name](picture, share, sign)
    assert (changed.size, changed.mode) == (picture.size, "RGB")
    if name in ("rotate", "shear-x", "shear-y", "translate-x", "translate-y", "colour", "contrast", "brightness"):
        assert (np.asarray(changed) == np.asarray(picture)).all() == (share == 0.0)
