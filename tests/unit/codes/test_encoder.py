"""Frames to packed codes."""

import numpy as np
import pytest
import torch
from frame_specs import frame_spec

from spikinghash.codes.encoder import Encoder
from spikinghash.errors import BadCheckpoint
from spikinghash.frames.crop_or_pad import crop_or_pad
from spikinghash.inference.read_bits import read_bits
from spikinghash.layers.exact_weights import snap_to_grid
from spikinghash.methods.method import build
from spikinghash.training.checkpoint import load_model, save_model

SPEC = frame_spec(
    method="spikinghash", size="Nano", bits=24, classes=("a", "b"), steps=4, height=16, width=16, sensor=(20, 18),
    count_clip=5, surrogate="sigmoid",
)  # fmt: skip


def counts(n, seed=0, height=18, width=20, dtype=np.uint8):
    rng = np.random.default_rng(seed)
    return (rng.integers(0, 9, (n, 4, 2, height, width)) * (rng.random((n, 4, 2, height, width)) < 0.3)).astype(dtype)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    method = build(SPEC)
    norms = [m for m in method.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    for m in norms:
        m.momentum = 1.0
    with torch.no_grad():
        method.network(torch.from_numpy(crop_or_pad(counts(12, 9), 16, 16, 5)).transpose(0, 1))
        method.network.hash.linear.bias.add_(0.5)
    snap_to_grid(method.network, SPEC.input.count_clip)
    folder = tmp_path_factory.mktemp("encoder")
    save_model(folder, SPEC, method.network, {})
    yield load_model(folder)
    torch.set_num_threads(before)


def test_codes_are_the_packed_bits_of_the_network(model):
    x = counts(5)
    codes, margins = Encoder(model).encode(x)
    assert codes.dtype == np.uint8
    assert codes.shape == (5, 3)
    assert margins.dtype == np.float32
    bits, expected = read_bits(model.method, torch.from_numpy(crop_or_pad(x, 16, 16, 5)).transpose(0, 1))
    for n in range(5):
        for k in range(24):
            assert (codes[n, k // 8] >> (7 - k % 8)) & 1 == bits[n, k]  # bit 0 is the most significant
    assert np.array_equal(margins, expected.numpy())
    assert (margins >= 0).all()


@pytest.mark.parametrize("batch", [1, 3, 7, 100])
def test_the_batch_size_does_not_matter(model, batch):
    x = counts(17, seed=1)
    codes, margins = Encoder(model, batch=17).encode(x)
    assert len({row.tobytes() for row in codes}) > 3
    again, margins_again = Encoder(model, batch=batch).encode(x)
    assert np.array_equal(codes, again)
    assert np.array_equal(margins, margins_again)


def test_no_clip_influences_another(model):
    x = counts(6, seed=2)
    codes, _ = Encoder(model).encode(x)
    order = [4, 0, 5, 2, 1, 3]
    assert np.array_equal(Encoder(model).encode(x[order])[0], codes[order])
    assert np.array_equal(Encoder(model, batch=2).encode(np.concatenate([x[3:4], x[:1]]))[0], codes[[3, 0]])


def test_no_clips(model):
    codes, margins = Encoder(model).encode(counts(0))
    assert codes.shape == (0, 3)
    assert margins.shape == (0,)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.int64])
def test_any_integer_type(model, dtype):
    assert np.array_equal(Encoder(model).encode(counts(3, dtype=dtype))[0], Encoder(model).encode(counts(3))[0])


def test_counts_above_the_clip_look_like_the_clip(model):
    x = counts(4, seed=3)
    assert (x > 5).any()
    assert np.array_equal(Encoder(model).encode(x)[0], Encoder(model).encode(np.minimum(x, 5))[0])


def test_the_input_is_not_modified(model):
    x = counts(3)
    x.flags.writeable = False
    Encoder(model).encode(x)


def test_a_damaged_model_never_becomes_an_encoder(tmp_path):
    with pytest.raises(BadCheckpoint):
        Encoder(load_model(tmp_path))


# fit


def slow_fit(x, height, width, clip):
    out = np.zeros((height, width), np.float32)
    H, W = x.shape
    top, left = (H - min(H, height)) // 2, (W - min(W, width)) // 2
    down, right = (height - min(H, height)) // 2, (width - min(W, width)) // 2
    for i in range(min(H, height)):
        for j in range(min(W, width)):
            out[down + i, right + j] = min(int(x[top + i, left + j]), clip)
    return out


@pytest.mark.parametrize("shape", [(6, 9), (4, 4), (3, 7), (9, 3), (1, 1), (10, 12)])
def test_fit_crops_and_pads_around_the_centre(shape):
    x = np.random.default_rng(0).integers(0, 300, (2, 3, *shape)).astype(np.uint16)
    y = crop_or_pad(x, 5, 6, 200)
    assert y.dtype == np.float32
    assert y.shape == (2, 3, 5, 6)
    for a in range(2):
        for b in range(3):
            assert np.array_equal(y[a, b], slow_fit(x[a, b], 5, 6, 200))
