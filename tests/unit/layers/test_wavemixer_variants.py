"""The mixer's ablations: two dimensions (table XI) and one level, against literal versions."""

import numpy as np
import pytest
import torch
from slow_oracles import array, dwt, idwt, norm, spikes, wake

from spikinghash.layers.wavemixer import WaveMixer

T, B, C, H, W, GROUPS = 4, 3, 6, 8, 4, 2
HIGH = {2: ["LH", "HL", "HH"], 3: ["LLH", "LHL", "LHH", "HLL", "HLH", "HHL", "HHH"]}


def data(seed=0):
    return torch.randn(T, B, C, H, W, generator=torch.Generator().manual_seed(seed)) * 2 + 1


def sn35(v):
    return spikes(v, 0.35)


def high_branch(bands, part):
    """Bands [S, T, B, C, H, W]: token weights [S, T or 1, H, W], then grouped channel weights."""

    def sn(v):
        return np.stack([spikes(band, 0.75) for band in v])

    x = sn(bands)
    for i in range(2):
        weight = np.broadcast_to(array(part.token[i]), (x.shape[0], x.shape[1], *x.shape[4:]))
        x = sn(norm(x * weight[:, :, None, None], part.fire[i].norm, 3))
    for i in range(2):
        weight, D = array(part.channel[i]), C // GROUPS
        mixed = [
            sum(x[:, :, :, g * D + d] * weight[g, d, k] for d in range(D)) for g in range(GROUPS) for k in range(D)
        ]
        y = np.stack(mixed, 3) + array(part.bias[i])[None, None, None, :, None, None]
        x = sn(norm(y, part.fire[2 + i].norm, 3))
    return x


def literal(x, m, axes, levels):
    names = HIGH[len(axes)]
    low_name = "L" * len(axes)
    low, found = spikes(x, 0.75), []
    for level in range(levels):
        bands = dwt(sn35(low) if level else low, axes, sn35)
        found.append(bands)
        low = bands[low_name]
    w1 = np.moveaxis(array(m.low), 0, 1)[:, None]
    low = spikes(spikes(low, 0.55) * w1, 0.55)
    for level in reversed(range(levels)):
        high = high_branch(np.stack([found[level][n] for n in names]), getattr(m, f"high{level + 1}"))
        low = sn35(low) if level < levels - 1 else low
        low = idwt({low_name: low} | dict(zip(names, high, strict=True)), axes, sn35)
    return low


@pytest.mark.parametrize(("temporal", "levels"), [(False, 2), (False, 1), (True, 1), (True, 2)])
def test_equals_the_literal_version(temporal, levels):
    torch.manual_seed(0)
    m = wake(WaveMixer(C, (T, H, W), GROUPS, temporal=temporal, levels=levels), 0, data(100)).eval()
    with torch.no_grad():
        m.low.mul_(8.0)
    axes = (0, 3, 4) if temporal else (3, 4)
    expected = literal(data().double().numpy(), m, axes, levels)
    ours = m(data()).detach().numpy()
    assert np.allclose(ours, expected, atol=1e-5)
    assert 0.05 < (np.abs(ours) > 1e-3).mean() < 0.9


def test_two_dimensions_have_no_time_in_their_weights():
    """Table XI: "remove the time step dimension from the learnable parameter matrices"; T may then be anything."""
    m = WaveMixer(C, (5, H, W), GROUPS, temporal=False)
    assert m.low.shape == (C, 1, H // 4, W // 4)
    assert all(w.shape == (3, 1, H // 2, W // 2) for w in m.high1.token)
    assert m(torch.rand(5, 2, C, H, W)).shape == (5, 2, C, H, W)
    x = torch.rand(4, 2, C, H, W)
    for layer, shrink in ((m, 16), (WaveMixer(C, (4, H, W), GROUPS), 64)):
        (low,) = layer.operations(x, x, lambda _: 0.5)
        assert low.macs * shrink == x.numel()
