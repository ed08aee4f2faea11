"""Slow, obvious versions of the layers, written from the paper and architecture.md, in numpy float64."""

import itertools
import math

import numpy as np
import torch


def neuron(x, v_th, tau=1.75):
    """Eqs. 1-3: x [T, ...] -> spikes and the potential H before reset."""
    v = np.zeros_like(x[0])
    spikes, charged = [], []
    for step in x:
        h = v + (step - v) / tau
        fired = h >= v_th
        v = np.where(fired, 0.0, h)
        spikes.append(fired.astype(x.dtype))
        charged.append(h)
    return np.stack(spikes), np.stack(charged)


def spikes(x, v_th, tau=1.75):
    return neuron(np.asarray(x, np.float64), v_th, tau)[0]


def haar(x, axis):
    """Eq. 7 with the Haar filters: pairs (2n, 2n + 1) along one axis."""
    n = x.shape[axis] // 2
    a = [np.take(x, 2 * i, axis) for i in range(n)]
    b = [np.take(x, 2 * i + 1, axis) for i in range(n)]
    low = np.stack([(p + q) / math.sqrt(2) for p, q in zip(a, b, strict=True)], axis)
    high = np.stack([(p - q) / math.sqrt(2) for p, q in zip(a, b, strict=True)], axis)
    return low, high


def unhaar(low, high, axis):
    parts = []
    for i in range(low.shape[axis]):
        a, d = np.take(low, i, axis), np.take(high, i, axis)
        parts += [(a + d) / math.sqrt(2), (a - d) / math.sqrt(2)]
    return np.stack(parts, axis)


def dwt(x, axes, sn=lambda v: v):
    """Eq. 8 without its first SN: bands by name such as "LHL", letters in the order of `axes`."""
    bands = {"": x}
    for k, axis in enumerate(axes):
        out = {}
        for name, band in bands.items():
            out[name + "L"], out[name + "H"] = haar(band, axis)
        bands = out if k == len(axes) - 1 else {name: sn(band) for name, band in out.items()}
    return bands


def idwt(bands, axes, sn=lambda v: v):
    """Axes in reverse order, a neuron after the first and the second."""
    for k, axis in enumerate(reversed(axes)):
        names = {name[:-1] for name in bands}
        bands = {name: unhaar(bands[name + "L"], bands[name + "H"], axis) for name in names}
        if k < len(axes) - 1:
            bands = {name: sn(band) for name, band in bands.items()}
    return bands[""]


HIGH = ["".join(letters) for letters in itertools.product("LH", repeat=3)][1:]


def norm(x, bn, channel_axis):
    """Batch norm over all axes but one, with batch statistics in training and running ones otherwise."""
    shape = [1] * x.ndim
    shape[channel_axis] = -1
    rest = tuple(i for i in range(x.ndim) if i != channel_axis)
    if bn.training:
        mean, var = x.mean(rest), x.var(rest)
    else:
        mean, var = array(bn.running_mean), array(bn.running_var)
    scale = array(bn.weight) / np.sqrt(var + bn.eps)
    return x * scale.reshape(shape) + (array(bn.bias) - mean * scale).reshape(shape)


def conv1x1(x, conv):
    """[T, B, C, H, W] through a 1x1 convolution, by a loop over output channels."""
    weight = array(conv.weight)[:, :, 0, 0]
    out = np.stack([sum(weight[o, c] * x[:, :, c] for c in range(x.shape[2])) for o in range(len(weight))], 2)
    return out if conv.bias is None else out + array(conv.bias)[None, None, :, None, None]


def array(tensor):
    return tensor.detach().double().numpy()


def wake(module, seed=0, sample=None, drive=0.5):
    """Random weights and norms, so that every neuron has something to say; norms know `sample` where given."""
    g = torch.Generator().manual_seed(seed)
    norms = [m for m in module.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    with torch.no_grad():
        for p in module.parameters():
            p.copy_(torch.randn(p.shape, generator=g) * 0.5 + 0.1)
        for m in norms:
            m.weight.copy_(torch.rand(m.num_features, generator=g) + 1.0)
            m.bias.copy_(torch.randn(m.num_features, generator=g) * 0.5 + drive)
            m.running_mean.copy_(torch.randn(m.num_features, generator=g) * 0.3)
            m.running_var.copy_(torch.rand(m.num_features, generator=g) + 0.3)
            m.momentum = 1.0
        if sample is not None:
            module(sample)
    for m in norms:
        m.momentum = 0.1
        m.num_batches_tracked.zero_()
    return module


def parameter_count(model):
    """Number of trainable values."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
