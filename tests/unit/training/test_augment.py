"""Frame augmentation: exact where it can be, coherent over time and polarity, repeatable."""

import math

import pytest
import torch

from spikinghash.training.augment import Augmentation
from spikinghash.training.augment_events import augment_events

ALL = Augmentation(shift_px=3.0, rotate_deg=20.0, scale=0.2, drop=0.3, flip=True)


def frames(T=4, B=6, H=12, W=10, seed=0):
    return torch.randint(0, 9, (T, B, 2, H, W), generator=torch.Generator().manual_seed(seed)).float()


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_zero_ranges_change_nothing():
    x = frames()
    assert torch.allclose(augment_events(x, Augmentation(), generator()), x, atol=2e-4)


def test_repeatable_by_generator_and_only_by_it():
    x = frames()
    torch.manual_seed(1)
    first = augment_events(x, ALL, generator(3))
    torch.manual_seed(2)
    assert torch.equal(augment_events(x, ALL, generator(3)), first)
    assert not torch.equal(augment_events(x, ALL, generator(4)), first)


def test_shape_and_input_are_kept():
    x = frames(T=3, B=2, H=7, W=15)
    before = x.clone()
    y = augment_events(x, ALL, generator())
    assert y.shape == x.shape
    assert y.dtype == x.dtype
    assert torch.equal(x, before)
    assert y.min() >= 0
    assert y.max() <= x.max() + 1e-4


def shifted(clip, dx, dy):
    """Sampling at x + dx, y + dy with zeros outside, bilinear, one pixel at a time. clip [T, P, H, W]."""
    out = torch.zeros_like(clip)
    _, _, H, W = clip.shape
    for y in range(H):
        for x in range(W):
            for j, wy in ((math.floor(y + dy), 1 - (y + dy) % 1), (math.floor(y + dy) + 1, (y + dy) % 1)):
                for i, wx in ((math.floor(x + dx), 1 - (x + dx) % 1), (math.floor(x + dx) + 1, (x + dx) % 1)):
                    if 0 <= i < W and 0 <= j < H:
                        out[:, :, y, x] += wy * wx * clip[:, :, j, i]
    return out


def test_a_shift_is_the_same_for_every_step_and_polarity_and_stays_in_range():
    """The offset of each clip is recovered from its first frame and must then explain all others."""
    x = torch.zeros(3, 5, 2, 16, 16)
    x[..., 8, 8] = torch.tensor([[1.0, 2.0], [3.0, 5.0], [4.0, 7.0]])[:, None]
    y = augment_events(x, Augmentation(shift_px=3.0), generator(2))
    offsets = set()
    for b in range(5):
        mass = y[0, b, 0]
        assert float(mass.sum()) == pytest.approx(1.0, abs=1e-4)
        rows, columns = torch.meshgrid(torch.arange(16.0), torch.arange(16.0), indexing="ij")
        dx, dy = 8 - float((mass * columns).sum()), 8 - float((mass * rows).sum())
        assert max(abs(dx), abs(dy)) <= 3.0
        offsets.add((round(dx, 3), round(dy, 3)))
        assert torch.allclose(y[:, b], shifted(x[:, b], dx, dy), atol=1e-2)
    assert len(offsets) == 5  # every clip moves on its own


def test_whole_pixel_shift_oracle():
    """The range is chosen so that the first clip's draw is exactly two pixels."""
    x = frames(B=1)
    # the draws of one clip in order: angle, zoom, dx, dy
    draws = (torch.rand(4, generator=generator(7)) * 2 - 1).tolist()
    y = augment_events(x, Augmentation(shift_px=2.0 / abs(draws[2])), generator(7))
    dx = math.copysign(2.0, draws[2])
    dy = 2.0 * draws[3] / abs(draws[2])
    assert torch.allclose(y[:, 0], shifted(x[:, 0], dx, dy), atol=2e-3)


def test_coherent_over_time_and_polarity():
    """A clip that stands still still stands still after everything but the dropping of events."""
    x = frames(T=1)[:, :, :1].expand(5, -1, 2, -1, -1).contiguous()
    y = augment_events(x, Augmentation(shift_px=3.0, rotate_deg=30.0, scale=0.2, flip=True), generator())
    assert not torch.allclose(y, x, atol=0.1)
    assert torch.equal(y, y[:1, :, :1].expand_as(y))


def test_flip_mirrors_about_half_of_the_clips():
    x = frames(B=200, T=1)
    y = augment_events(x, Augmentation(flip=True), generator())
    mirrored = [bool(torch.allclose(y[:, b], x[:, b].flip(-1), atol=1e-3)) for b in range(200)]
    same = [bool(torch.allclose(y[:, b], x[:, b], atol=1e-3)) for b in range(200)]
    assert all(m != s for m, s in zip(mirrored, same, strict=True))
    assert 60 < sum(mirrored) < 140


def test_rotation_keeps_angles_on_a_wide_picture():
    """A square turned on a 2:1 canvas stays a square: distances between its corners do not change."""
    x = torch.zeros(1, 8, 1, 32, 64)
    corners = [(10, 26), (10, 37), (21, 26), (21, 37)]
    rows, columns = torch.meshgrid(torch.arange(32.0), torch.arange(64.0), indexing="ij")
    for r, c in corners:
        x[:, :, :, r, c] = 1.0
    places = []
    for r, c in corners:
        one = torch.zeros_like(x)
        one[..., r, c] = 1.0
        y = augment_events(one, Augmentation(rotate_deg=40.0), generator(1))[0, :, 0]
        weight = y.sum((1, 2))
        places.append(torch.stack([(y * rows).sum((1, 2)) / weight, (y * columns).sum((1, 2)) / weight], 1))
    for i in range(4):
        for j in range(i):
            expected = math.dist(corners[i], corners[j])
            assert torch.allclose((places[i] - places[j]).norm(dim=1), torch.tensor(expected), atol=0.5)
    assert (places[0] - torch.tensor([10.0, 26.0])).norm(dim=1).max() > 2


def test_drop_removes_up_to_its_share():
    x = torch.ones(4, 50, 2, 10, 10)
    y = augment_events(x, Augmentation(drop=0.4), generator())
    kept = torch.isclose(y, torch.ones(()), atol=1e-3)
    assert ((y == 0) | kept).all()
    share = 1 - kept.float().mean(dim=(0, 2, 3, 4))
    assert share.max() < 0.5
    assert share.min() < 0.1
    assert 0.15 < share.mean() < 0.25
