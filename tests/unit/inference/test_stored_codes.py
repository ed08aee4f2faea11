"""Codes stay what they were: of networks with given weights, in one batch, one by one, and layer by layer."""

from __future__ import annotations

import pytest
from stored_codes import DIGESTS, clips, digest, fill, spec_of

from spikinghash.layers.exact import round_weights
from spikinghash.methods.method import LossWeights, build

Key = tuple[str, str, str, int, int]


@pytest.mark.parametrize("key", DIGESTS, ids=lambda key: "-".join(map(str, key[:3])))
def test_codes_are_those_of_old(key: Key) -> None:
    spec = spec_of(*key)
    method = build(spec, LossWeights())
    fill(method.network)
    round_weights(method.network, spec.input_levels)
    method.eval()
    bits, margins = method.read_bits(clips(24, *key[3:]))
    assert digest(bits.numpy(), margins.numpy()) == DIGESTS[key]
