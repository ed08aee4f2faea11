"""Every operator passes torch's own check, and equals plain torch: spikes bit for bit, gradients within 1e-5."""

import pytest
import torch

from spikinghash.ops import batch_norm, conv, haar, lif, lif_linear, max_pool, moments
from spikinghash.ops.batch_norm import NO_NORM
from spikinghash.ops.haar_reference import TEMPORAL, dwt, idwt
from spikinghash.ops.lif import SURROGATES

SIGMOID, ATAN = ((1.75, 0.6, alpha, number) for _, number, alpha in SURROGATES.values())
HAAR = (1.75, 0.35, 2.0, ATAN[3])


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def spikes(*shape, rate=0.3):
    return (torch.rand(shape, generator=generator()) < rate).float()


def real(*shape, scale=1.0, seed=1):
    return torch.randn(shape, generator=generator(seed)) * scale


def norm(C, sign=1):
    moments = torch.stack((real(C, seed=2), real(C, seed=5).square() + 0.5)).double()
    return moments, sign * (real(C, seed=6) + 1.5), real(C, seed=3), 1e-5


def dwt_neuron(x, *neuron):
    bands = dwt(x, TEMPORAL, lambda v: lif.lif_reference(v, *NO_NORM, *neuron))
    return bands[:, 0], bands[:, 1:]


def idwt_neuron(low, high, *neuron):
    return idwt(torch.cat((low[:, None], high), 1), TEMPORAL, lambda v: lif.lif_reference(v, *NO_NORM, *neuron))


#: By name: the operator, its plain-torch form, and arguments of which tensors of floats get gradients.
CASES = {
    "moments": (moments.moments, moments.moments_reference, (real(3, 4, 5, 6),)),
    "moments of many": (moments.moments, moments.moments_reference, (real(40, 300, 48, scale=3.0) + 2,)),
    "batch_norm": (batch_norm.batch_norm, batch_norm.batch_norm_reference, (real(3, 4, 5, 6), *norm(6))),
    "batch_norm of many": (batch_norm.batch_norm, batch_norm.batch_norm_reference, (real(7, 333, 48), *norm(48))),
    "lif": (lif.lif, lif.lif_reference, (real(5, 4, 6, scale=2.0), *NO_NORM, *SIGMOID)),
    "lif of a norm": (lif.lif, lif.lif_reference, (real(4, 3, 5, 32, scale=2.0), *norm(32), *ATAN)),
    "lif of many": (lif.lif, lif.lif_reference, (real(4, 257, 48, scale=2.0), *norm(48), *SIGMOID)),
    "lif_linear of many": (lif_linear.lif_linear, lif_linear.lif_linear_reference,
                           (real(4, 300, 32, scale=2.0), *norm(32), real(16, 32, seed=4), *ATAN)),
    "lif of one pixel": (lif.lif, lif.lif_reference, (real(1, 7), *NO_NORM, *ATAN)),
    "lif_linear": (lif_linear.lif_linear, lif_linear.lif_linear_reference,
                   (real(4, 3, 5, 32, scale=2.0), *norm(32), real(48, 32, seed=4), *ATAN)),
    "lif_linear without a norm": (lif_linear.lif_linear, lif_linear.lif_linear_reference,
                                  (real(4, 37, 16, scale=2.0), *NO_NORM, real(16, 16, seed=4), *SIGMOID)),
    "lif_linear of odd widths": (lif_linear.lif_linear, lif_linear.lif_linear_reference,
                                 (real(4, 3, 5, 20, scale=2.0), *norm(20), real(6, 20, seed=4), *SIGMOID)),
    "conv of spikes": (conv.conv, conv.conv_reference, (spikes(2, 5, 8, 6, 32), real(16, 32, 3, 3))),
    "conv of spikes, odd": (conv.conv, conv.conv_reference, (spikes(2, 3, 5, 3, 20), real(24, 20, 3, 3))),
    "conv of spikes, 5 x 5": (conv.conv, conv.conv_reference, (spikes(2, 3, 4, 4, 16), real(16, 16, 5, 5))),
    "conv of counts": (conv.conv, conv.conv_reference, (spikes(2, 3, 6, 5, 2) * 3, real(16, 2, 3, 3))),
    "haar_split": (haar.haar_split, dwt_neuron, (spikes(4, 3, 4, 6, 16), *HAAR)),
    "haar_join": (haar.haar_join, idwt_neuron, (spikes(2, 3, 2, 3, 16), spikes(2, 7, 3, 2, 3, 16), *HAAR)),
    "max_pool": (max_pool.max_pool, max_pool.max_pool_reference, (real(2, 3, 5, 6, 16), *NO_NORM)),
    "max_pool of a norm": (max_pool.max_pool, max_pool.max_pool_reference, (real(2, 4, 4, 20), *norm(20, -1))),
}  # fmt: skip
#: Operators of spikes, and of values that are rounded at the same places.
BIT_FOR_BIT = ("lif", "haar_split", "haar_join", "max_pool")


def leaves(arguments):
    def leaf(x):
        is_float = isinstance(x, torch.Tensor) and x.is_floating_point()
        return x.detach().clone().requires_grad_() if is_float else x

    return tuple(leaf(x) for x in arguments)


def outputs(result):
    return [result] if isinstance(result, torch.Tensor) else list(result)


@pytest.mark.parametrize("name", CASES)
def test_torch_accepts_it(name):
    operator, _, arguments = CASES[name]
    if max(x.numel() for x in arguments if isinstance(x, torch.Tensor)) > 100_000:
        pytest.skip("the same operator is checked on less")
    torch.library.opcheck(operator, leaves(arguments))


def test_every_operator_has_a_case():
    made = {name for name in torch._C._dispatch_get_all_op_names() if name.startswith("spikinghash::")}
    assert {name for name in made if "backward" not in name} == {operator.name() for operator, *_ in CASES.values()}


@pytest.mark.parametrize("name", CASES)
def test_equals_plain_torch(name):
    operator, reference, arguments = CASES[name]
    ours, theirs = leaves(arguments), leaves(arguments)
    found, expected = outputs(operator(*ours)), outputs(reference(*theirs))
    total, other = 0.0, 0.0
    for k, (a, b) in enumerate(zip(found, expected, strict=False)):
        if name.split(" ")[0].strip(",") in BIT_FOR_BIT:
            assert torch.equal(a, b)
        else:
            assert torch.allclose(a, b, rtol=1e-5, atol=1e-5)
        if a.requires_grad:
            weights = real(*a.shape, seed=9 + k).to(a.dtype)
            total, other = total + (a * weights).sum(), other + (b * weights).sum()
    total.backward()
    other.backward()
    for a, b in zip(ours, theirs, strict=True):
        if isinstance(a, torch.Tensor) and a.requires_grad:
            assert (a.grad - b.grad).abs().max() <= 1e-5 * max(1.0, float(b.grad.abs().max()))


def test_a_gradient_is_not_differentiated_again():
    x = real(3, 4).requires_grad_()
    (g,) = torch.autograd.grad(lif.lif(x, *NO_NORM, *ATAN).sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="lif_backward is a gradient and cannot be differentiated again"):
        g.sum().backward()


@pytest.mark.parametrize(("operator", "shapes"), [
    (haar.haar_split, [(2, 1, 2, 4, 5)]), (haar.haar_join, [(1, 1, 2, 1, 5), (1, 7, 1, 2, 1, 5)]),
])  # fmt: skip
def test_the_wavelet_kernels_refuse_channels_that_fill_no_vector(operator, shapes):
    with pytest.raises(ValueError, match="a multiple of 16 channels, not 5; use `haar_reference`"):
        operator(*(spikes(*shape) for shape in shapes), *HAAR)
