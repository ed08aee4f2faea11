"""The spiking wave mixer against a literal version written from architecture.md section 3 (paper eqs. 8-12)."""

import numpy as np
import pytest
import torch
from slow_oracles import HIGH, array, dwt, idwt, norm, spikes, wake

from spikinghash.layers.conv import NormLIF
from spikinghash.layers.wavemixer import MixerThresholds, WaveMixer
from spikinghash.methods.spikinghash import SIZES

T, B, C, H, W, GROUPS = 4, 3, 6, 8, 4, 2
AXES = (0, 3, 4)  # T, H, W of [T, B, C, H, W]


RELEASED = MixerThresholds()
OPEN = SIZES["Nano-bands"].thresholds


def mixer(thresholds=RELEASED, seed=0):
    torch.manual_seed(seed)
    m = wake(WaveMixer(C, (T, H, W), GROUPS, thresholds=thresholds), seed, data(100 + seed))
    with torch.no_grad():
        m.low.mul_(8.0)  # so that the low branch, silent below 0.96, takes part
    return m


def data(seed=0, offset=1.0):
    return torch.randn(T, B, C, H, W, generator=torch.Generator().manual_seed(seed)) * 2 + offset


def token(x, weight):
    """Eq. 10: x[b][7, T, C, H, W] times W[7, T, H, W], shared over channels and samples."""
    return np.stack(
        [[[x[k, t, b] * weight[k, t][None] for b in range(B)] for t in range(x.shape[1])] for k in range(7)]
    )


def channel(x, weight, bias):
    """Eqs. 11-12: groups of D channels, each mixed by its own D x K matrix."""
    out = np.zeros_like(x)
    D = C // GROUPS
    for g in range(GROUPS):
        for k in range(D):
            for d in range(D):
                out[:, :, :, g * D + k] += x[:, :, :, g * D + d] * weight[g, d, k]
    return out + bias[None, None, None, :, None, None]


def high_branch(bands, part):
    """Bands [7, T, B, C, H, W] of one level."""

    def sn(v):
        return np.stack([spikes(band, 0.75) for band in v])

    x = sn(bands)
    for i in range(2):
        x = sn(norm(token(x, array(part.token[i])), part.fire[i].norm, 3))
    for i in range(2):
        x = sn(norm(channel(x, array(part.channel[i]), array(part.bias[i])), part.fire[2 + i].norm, 3))
    return x


def literal(x, m):
    def sn35(v):
        return spikes(v, 0.35)

    level1 = dwt(spikes(x, 0.75), AXES, sn35)
    level2 = dwt(sn35(level1["LLL"]), AXES, sn35)
    w1 = np.moveaxis(array(m.low), 0, 1)[:, None]  # C x T/4 x H/4 x W/4 -> [T, 1, C, H, W]
    low = spikes(spikes(level2["LLL"], 0.55) * w1, 0.55)
    new2 = high_branch(np.stack([level2[name] for name in HIGH]), m.high2)
    new1 = high_branch(np.stack([level1[name] for name in HIGH]), m.high1)
    low1 = sn35(idwt({"LLL": low} | dict(zip(HIGH, new2, strict=True)), AXES, sn35))
    return idwt({"LLL": low1} | dict(zip(HIGH, new1, strict=True)), AXES, sn35)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(("seed", "offset"), [(0, 1.0), (1, 1.0), (2, -1.0), (3, -2.0)], ids=str)
def test_equals_the_literal_version(training, seed, offset):
    """Dense spikes and sparse ones."""
    m = mixer(seed=seed).train(training)
    x = data(seed, offset)
    expected = literal(x.double().numpy(), m)
    ours = m(x).detach().numpy()
    assert np.allclose(ours, expected, atol=1e-5)
    assert 0.05 < (np.abs(ours) > 1e-3).mean() < 0.9


def test_gradients_reach_every_parameter():
    m = mixer(MixerThresholds(entry=0.3, low=0.2, high=0.2, transform=0.2))
    x = data().requires_grad_(True)
    (m(x) * torch.randn(x.shape, generator=torch.Generator().manual_seed(1))).sum().backward()
    assert x.grad.abs().sum() > 0
    for name, p in m.named_parameters():
        assert torch.isfinite(p.grad).all(), name
        # a bias before a norm has no effect
        assert (p.grad.abs().sum() > 0) != (".bias." in name), name


@pytest.mark.parametrize(("thresholds", "silent"), [(RELEASED, {"LLH", "LHH", "HLH", "HHH"}), (OPEN, set())])
def test_which_high_bands_can_fire(thresholds, silent):
    """The last axis gives differences of two spikes, 0.707 at most: they never charge a neuron to 0.75."""
    torch.manual_seed(0)
    m = WaveMixer(C, (T, H, W), GROUPS, thresholds=thresholds)
    seen = []
    m.high1.entry.register_forward_hook(lambda _, __, out: seen.append(out.unflatten(1, (7, -1)).sum((0, 2, 3, 4, 5))))
    for seed in range(8):
        m(data(seed))
    fired = torch.stack(seen).sum(0).tolist()
    assert {name for name, count in zip(HIGH, fired, strict=True) if count == 0} == silent


def test_a_sample_never_sees_its_batch_mates():
    """The released file reshapes where it should permute, which mixes samples; see architecture.md section 6."""
    m = mixer().eval()
    x = data()
    other = x.clone()
    other[:, 1:] = torch.randn(T, B - 1, C, H, W) * 3
    assert torch.equal(m(x)[:, 0], m(other)[:, 0])
    assert not torch.equal(m(x)[:, 1], m(other)[:, 1])
    assert torch.equal(m(x[:, :1])[:, 0], m(x)[:, 0])


def test_training_mode_shares_only_the_batch_statistics():
    m = mixer()
    x = data()
    assert torch.equal(m(x.flip(1)).flip(1), m(x))


def test_repeatable_without_state():
    m = mixer().eval()
    first = m(data(1))
    m(data(2))
    assert torch.equal(m(data(1)), first)


def test_parameter_count_of_the_section_3_formula():
    m = WaveMixer(C, (T, H, W), GROUPS)
    expected = C * T * H * W // 64 + 14 * (T * H * W // 8 + T * H * W // 64) + 4 * (C * C // GROUPS + C) + 16 * C
    assert sum(p.numel() for p in m.parameters()) == expected
    assert sum(isinstance(x, NormLIF) for x in m.modules()) == 8


def test_the_mixer_weights_start_at_two_percent():
    torch.manual_seed(0)
    m = WaveMixer(32, (8, 16, 16), 4)
    for weight in (m.low, *m.high1.token, *m.high1.channel, *m.high2.channel):
        assert float(weight.detach().std()) == pytest.approx(0.02, rel=0.1)
