"""The two-dimensional Haar transform of the 2D-SWM, and both transforms against PyWavelets."""

import numpy as np
import pytest
import pywt
import torch
from slow_oracles import dwt, idwt, spikes

from spikinghash.neurons.lif import LIF
from spikinghash.ops.haar_reference import SPATIAL, TEMPORAL, identity
from spikinghash.ops.haar_reference import dwt as analyse
from spikinghash.ops.haar_reference import idwt as synthesise

AXES = (2, 3)  # H, W of [T, B, H, W, C]
BANDS = ("LLL", "LLH", "LHL", "LHH", "HLL", "HLH", "HHL", "HHH")
BANDS_2D = ("LL", "LH", "HL", "HH")


def dwt2(x, neuron=identity):
    return analyse(x, SPATIAL, neuron)


def idwt2(bands, neuron=identity):
    return synthesise(bands, SPATIAL, neuron)


def dwt3(x):
    return analyse(x, TEMPORAL)


def data(shape=(3, 2, 6, 4, 3), seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def stacked(bands):
    return np.stack([bands[name] for name in BANDS_2D], 1)


@pytest.mark.parametrize(("transform", "bands", "axes"), [(dwt2, BANDS_2D, (2, 3)), (dwt3, BANDS, (0, 2, 3))])
def test_one_level_equals_pywavelets(transform, bands, axes):
    """PyWavelets names bands by a (low) and d (high) in the order of the axes."""
    x = data((4, 2, 6, 4, 3))
    theirs = pywt.dwtn(x.numpy(), "haar", axes=axes)
    ours = transform(x).numpy()
    for k, name in enumerate(bands):
        # ours is (a - b) / sqrt 2, theirs the same
        assert np.allclose(ours[:, k], theirs[name.replace("L", "a").replace("H", "d")], atol=1e-12), name


def test_two_levels_equal_pywavelets():
    x = data((4, 1, 8, 4, 2))
    coarse = pywt.wavedecn(x.numpy(), "haar", level=2, axes=(0, 2, 3))[0]
    assert np.allclose(dwt3(dwt3(x)[:, 0])[:, 0].numpy(), coarse, atol=1e-12)


@pytest.mark.parametrize("shape", [(1, 1, 2, 2, 1), (3, 2, 6, 4, 3), (5, 3, 2, 10, 5)])
def test_against_a_loop_over_pairs(shape):
    x = data(shape)
    assert np.allclose(dwt2(x).numpy(), stacked(dwt(x.numpy(), AXES)), atol=1e-12)


def test_reconstruction_is_perfect_without_neurons():
    x = data()
    assert torch.allclose(idwt2(dwt2(x)), x, rtol=0, atol=1e-14)


def test_a_neuron_sits_after_the_first_axis_of_either_direction():
    x = (data((4, 2, 4, 8, 3)) > 0).float()
    expected = stacked(dwt(x.double().numpy(), AXES, lambda v: spikes(v, 0.35)))
    assert np.allclose(dwt2(x, LIF(0.35)).numpy(), expected, atol=1e-6)
    bands = (data((4, 4, 2, 3, 2, 3)) > 0.3).float()
    named = {name: bands[:, k].double().numpy() for k, name in enumerate(BANDS_2D)}
    expected = idwt(named, AXES, lambda v: spikes(v, 0.35))
    assert np.allclose(idwt2(bands, LIF(0.35)).numpy(), expected, atol=1e-6)


def test_gradients_by_finite_differences():
    assert torch.autograd.gradcheck(dwt2, (data((2, 2, 4, 2, 2)).requires_grad_(True),))
    assert torch.autograd.gradcheck(idwt2, (data((2, 4, 2, 2, 1, 2)).requires_grad_(True),))
