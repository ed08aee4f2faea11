"""Bits and classes of frames by a trained method."""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor, nn

from spikinghash.inference.plan import features
from spikinghash.layers.deferred import has_hooks
from spikinghash.layers.hashing_network import HashingNetwork


class Trained(Protocol):
    """A method's `network`; `exact` says that its sums do not depend on the batch (`layers/exact_weights.py`).

    Where they do, as in networks with real-valued activations, clips are read one at a time, so that a code is a
    function of its clip alone.
    """

    network: nn.Module
    exact: bool


@torch.no_grad()
def read_bits(method: Any, frames: Tensor) -> tuple[Tensor, Tensor]:
    """Frames [T, B, P, H, W] -> bits [B, K] uint8 and smallest margins [B] float32."""
    heads = [_outputs(method.network, block)[0] for block in _blocks(method, frames)]
    return torch.cat([h.bits for h in heads]).to(torch.uint8), torch.cat([h.margin for h in heads])


@torch.no_grad()
def predict(method: Any, frames: Tensor) -> Tensor:
    """Frames [T, B, P, H, W] -> class logits [B, classes]."""
    return torch.cat([_logits(method.network, block) for block in _blocks(method, frames)])


def _outputs(network: Any, x: Tensor) -> Any:
    return network.head(features(network, x)) if _is_planned(network) else network(x)


def _logits(network: Any, x: Tensor) -> Tensor:
    logits: Tensor = _outputs(network, x)[1] if _is_planned(network) and network.hash else network.classify(x)
    return logits


def _is_planned(network: Any) -> bool:
    """Whether `network` is what `features` stands for: nobody watches it, and it has not changed how it is called."""
    if not isinstance(network, HashingNetwork):
        return False
    own = HashingNetwork.forward, HashingNetwork.features, HashingNetwork.feature_maps, nn.Module.__call__
    kind, names = type(network), ("forward", "features", "feature_maps")
    return (
        (kind.forward, kind.features, kind.feature_maps, kind.__call__) == own
        and not has_hooks(network)
        and not any(name in network.__dict__ for name in names)
    )


def _blocks(method: Trained, frames: Tensor) -> list[Tensor]:
    return [frames] if method.exact else list(frames.split(1, dim=1))
