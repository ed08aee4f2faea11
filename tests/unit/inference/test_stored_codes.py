"""Codes stay what they were: of networks with given weights, planned, layer by layer, and clip by clip."""

from __future__ import annotations

import pytest
import torch
from stored_codes import DIGESTS, clips, digest, fill, spec_of
from torch import Tensor, nn

from spikinghash.inference.plan import features
from spikinghash.inference.read_bits import read_bits
from spikinghash.layers.exact_weights import snap_to_grid
from spikinghash.methods.method import build

Key = tuple[str, str, str, int, int]
NAMES = {"argvalues": DIGESTS, "ids": lambda key: "-".join(map(str, key[:3]))}


def trained(key: Key) -> tuple[nn.Module, Tensor]:
    spec = spec_of(*key)
    method = build(spec)
    fill(method.network)
    snap_to_grid(method.network, spec.input.levels)
    return method.eval(), clips(24, *key[3:])


def told(bits: Tensor, margins: Tensor) -> str:
    return digest(bits.to(torch.uint8).numpy(), margins.numpy())


@pytest.mark.parametrize("key", **NAMES)
def test_codes_are_those_of_old(key: Key) -> None:
    method, frames = trained(key)
    assert told(*read_bits(method, frames)) == DIGESTS[key]


@pytest.mark.parametrize("key", **NAMES)
def test_codes_layer_by_layer_are_the_same(key: Key) -> None:
    method, frames = trained(key)
    with torch.no_grad():
        out, _ = method.network(frames)
        assert torch.equal(method.network.features(frames), features(method.network, frames))
    assert told(out.bits, out.margin) == DIGESTS[key]


@pytest.mark.parametrize("key", **NAMES)
def test_codes_clip_by_clip_with_gradients_are_the_same(key: Key) -> None:
    method, frames = trained(key)
    heads = [method.network(frames[:, n : n + 1])[0] for n in range(frames.shape[1])]
    bits, margins = (torch.cat([getattr(h, name) for h in heads]).detach() for name in ("bits", "margin"))
    assert told(bits, margins) == DIGESTS[key]
