"""Operations of SpikeHash at the published size, and a network counted by hand."""

import pytest
import torch
from torch import nn

from spikinghash.evaluation.energy import estimate_energy
from spikinghash.evaluation.pair_energy import counts_of
from spikinghash.methods.contrastive import ContrastiveOptions, contrastive
from spikinghash.methods.spikehash.method import spikehash
from spikinghash.methods.spikehash.options import SpikeHashOptions


def test_the_published_size_within_five_percent():
    """128 bits, features of 512, 4 steps: 2.19 M parameters, 8.53 M operations, 39 uJ at 4.6 pJ (project page)."""
    torch.manual_seed(0)
    method = spikehash({"image": 512, "text": 512}, 128, 0, SpikeHashOptions(), "full").eval()
    found = counts_of(estimate_energy(method.network, {n: torch.randn(8, 512) for n in ("image", "text")}), 4)
    assert sum(p.numel() for p in method.network.parameters()) == pytest.approx(2.19e6, rel=0.05)
    assert found["dense_mac_all_steps"] == pytest.approx(8.53e6, rel=0.05)
    assert found["dense_energy_pj"] == pytest.approx(39e6, rel=0.05)
    # the encoders see what is constant, and run once
    assert found["dense_mac"] == found["dense_mac_all_steps"] - 3 * 2 * 512 * 512
    assert 0 < found["sop"] < found["dense_mac"]
    assert found["energy_pj"] < found["dense_energy_pj"]


def test_two_layers_by_hand():
    method = contrastive({"image": 24, "text": 20}, 16, 0, ContrastiveOptions(width=8), "full").eval()
    found = counts_of(estimate_energy(method.network, {"text": torch.randn(5, 20)}), 1)
    assert found == {
        "dense_mac": 20 * 8 + 8 * 16, "dense_mac_all_steps": 20 * 8 + 8 * 16,
        "dense_energy_pj": pytest.approx(4.6 * (20 * 8 + 8 * 16)), "sop": 0.0,
        "energy_pj": pytest.approx(4.6 * (20 * 8 + 8 * 16)),
    }  # fmt: skip


def test_a_linear_layer_of_spikes_accumulates_at_their_rate():
    x = torch.zeros(2, 5, 10)
    x[0, :, :3] = 1
    (layer,) = estimate_energy(nn.Sequential(nn.Linear(10, 4)), {"": x}.get("")).layers
    assert (layer.spiking, layer.rate) == (True, pytest.approx(0.15))
