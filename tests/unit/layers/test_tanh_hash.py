"""Eq. 17's hash layer with HashNet's continuation, and the softmax attention of the ANN baselines."""

import math

import pytest
import torch

from spikinghash.layers.self_attention import SelfAttention
from spikinghash.layers.tanh_hash import LARGEST_BETA, TanhHashLayer


def test_bits_are_signs_and_codes_are_tanh():
    torch.manual_seed(0)
    layer = TanhHashLayer(5, 8).requires_grad_(False)
    f = torch.randn(4, 5)
    layer.end_epoch(0.5)
    out = layer(f)
    for b in range(4):
        for k in range(8):
            x = sum(float(f[b, c]) * float(layer.linear.weight[k, c]) for c in range(5)) + float(layer.linear.bias[k])
            assert float(out.codes[b, k]) == pytest.approx(math.tanh(math.sqrt(LARGEST_BETA) * x), abs=1e-5)
            assert float(out.bits[b, k]) == (1.0 if x >= 0 else 0.0)
        assert float(out.margin[b]) == pytest.approx(float(out.membrane[b].abs().min()))


def test_zero_gives_one():
    layer = TanhHashLayer(2, 8)
    with torch.no_grad():
        layer.linear.bias.zero_()
    assert layer(torch.zeros(1, 2)).bits.tolist() == [[1.0] * 8]


def test_beta_grows_from_one_to_its_largest():
    layer = TanhHashLayer(2, 8)
    seen = [float(layer.beta)]
    for done in (0.25, 0.5, 1.0):
        layer.end_epoch(done)
        seen.append(float(layer.beta))
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (1.0, pytest.approx(LARGEST_BETA))


def test_attention_against_loops():
    torch.manual_seed(0)
    B, N, C, heads = 2, 3, 4, 2
    layer = SelfAttention(C, heads)
    x = torch.randn(B, N, C)
    q, k, v = layer.qkv(x).split(C, dim=2)
    D = C // heads
    mixed = torch.zeros(B, N, C)
    for b in range(B):
        for h in range(heads):
            part = slice(h * D, (h + 1) * D)
            for i in range(N):
                score = torch.stack([(q[b, i, part] * k[b, j, part]).sum() / math.sqrt(D) for j in range(N)])
                mixed[b, i, part] = sum(w * v[b, j, part] for j, w in enumerate(score.softmax(0)))
    assert torch.allclose(layer(x), layer.project(mixed), atol=1e-6)
