"""The Haar transform of eqs. 7 and 8, its inverse and its gradient."""

import math

import numpy as np
import pytest
import torch
from slow_oracles import dwt, idwt, spikes

from spikinghash.neurons.lif import LIF
from spikinghash.ops.haar_reference import TEMPORAL, identity
from spikinghash.ops.haar_reference import dwt as analyse
from spikinghash.ops.haar_reference import idwt as synthesise

AXES = (0, 2, 3)  # T, H, W of [T, B, H, W, C]
BANDS = ("LLL", "LLH", "LHL", "LHH", "HLL", "HLH", "HHL", "HHH")


def dwt3(x, neuron=identity):
    return analyse(x, TEMPORAL, neuron)


def idwt3(bands, neuron=identity):
    return synthesise(bands, TEMPORAL, neuron)


def data(shape=(4, 2, 6, 4, 3), seed=0, dtype=torch.float32):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def stacked(bands):
    return np.stack([bands[name] for name in BANDS], 1)


@pytest.mark.parametrize("shape", [(2, 1, 2, 2, 1), (4, 2, 6, 4, 3), (8, 3, 2, 10, 5)])
def test_against_a_loop_over_pairs(shape):
    x = data(shape)
    assert np.allclose(dwt3(x).numpy(), stacked(dwt(x.numpy(), AXES)), atol=1e-6)


def test_against_one_matrix_for_each_axis():
    """Eq. 7 as an orthogonal matrix: all low coefficients, then all high ones."""

    def matrix(n):
        m = np.zeros((n, n))
        for i in range(n // 2):
            m[i, 2 * i] = m[i, 2 * i + 1] = m[n // 2 + i, 2 * i] = 1 / math.sqrt(2)
            m[n // 2 + i, 2 * i + 1] = -1 / math.sqrt(2)
        return m

    x = data(dtype=torch.float64)
    T, _, H, W, _ = x.shape
    assert np.allclose(matrix(T) @ matrix(T).T, np.eye(T))
    full = np.einsum("pt,qh,rw,tbhwc->pbqrc", matrix(T), matrix(H), matrix(W), x.numpy())
    ours = dwt3(x).numpy()
    for k, name in enumerate(BANDS):
        t, h, w = (letter == "H" for letter in name)
        part = full[t * T // 2 : (t + 1) * T // 2, :, h * H // 2 : (h + 1) * H // 2, w * W // 2 : (w + 1) * W // 2]
        assert np.allclose(ours[:, k], part)


@pytest.mark.parametrize(("axis", "band"), [(0, "HLL"), (2, "LHL"), (3, "LLH")])
def test_a_stripe_along_one_axis_lands_in_that_band(axis, band):
    x = torch.zeros(4, 1, 4, 4, 1)
    x.select(axis, 0).fill_(1.0)
    y = dwt3(x)
    alive = {name for k, name in enumerate(BANDS) if y[:, k].abs().sum() > 0}
    assert alive == {"LLL", band}


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.float64, 1e-14)])
def test_reconstruction_is_perfect_without_neurons(dtype, tolerance):
    x = data((8, 2, 12, 4, 3), dtype=dtype)
    y = idwt3(dwt3(x, identity), identity)
    assert y.dtype == dtype
    assert torch.allclose(x, y, rtol=0, atol=tolerance)
    assert torch.allclose(dwt3(idwt3(dwt3(x))), dwt3(x), rtol=0, atol=4 * tolerance)


def test_energy_is_kept():
    x = data(dtype=torch.float64)
    assert float(dwt3(x).square().sum()) == pytest.approx(float(x.square().sum()), rel=1e-12)


def test_neurons_sit_after_the_first_and_second_axis():
    """Eq. 8: W(SN(H(SN(T(.))))), nothing after W."""
    x = (data((8, 2, 4, 8, 3)) > 0).float()
    node = LIF(0.35)
    expected = stacked(dwt(x.double().numpy(), AXES, lambda v: spikes(v, 0.35)))
    ours = dwt3(x, node).numpy()
    assert np.allclose(ours, expected, atol=1e-6)
    assert (ours < 0).any()  # so nothing has fired at the end


def test_neurons_of_the_inverse():
    bands = (data((4, 8, 2, 3, 2, 3)) > 0.3).float()
    named = {name: bands[:, k].double().numpy() for k, name in enumerate(BANDS)}
    expected = idwt(named, AXES, lambda v: spikes(v, 0.35))
    assert np.allclose(idwt3(bands, LIF(0.35)).numpy(), expected, atol=1e-6)


def test_gradients_by_finite_differences():
    x = data((2, 2, 4, 2, 2), dtype=torch.float64).requires_grad_(True)
    bands = data((1, 8, 2, 2, 1, 2), dtype=torch.float64).requires_grad_(True)
    assert torch.autograd.gradcheck(dwt3, (x,))
    assert torch.autograd.gradcheck(idwt3, (bands,))


def test_the_gradient_is_the_adjoint_and_the_inverse():
    x = data(dtype=torch.float64).requires_grad_(True)
    direction = data((2, 8, 2, 3, 2, 3), seed=1, dtype=torch.float64)
    (dwt3(x) * direction).sum().backward()
    assert torch.allclose(x.grad, idwt3(direction), rtol=0, atol=1e-13)


def test_an_isolated_spike_survives_only_low_thresholds():
    """architecture.md section 4: 0.707 / 1.75 = 0.404."""
    x = torch.zeros(4, 1, 4, 4, 1)
    x[0, 0, 0, 0, 0] = 1.0
    assert dwt3(x, LIF(0.40)).abs().sum() > 0
    assert dwt3(x, LIF(0.41)).abs().sum() == 0
