"""What is done to weights before they are validated and saved."""

from __future__ import annotations

from typing import cast

from torch import nn

from spikinghash.layers.exact_weights import snap_to_grid
from spikinghash.methods.method import HashingMethod
from spikinghash.methods.spec import ModelSpec


def finish(method: nn.Module, spec: ModelSpec) -> None:
    """Round, in place, the weights of a method whose codes are exact; others stay as they are."""
    hashing = cast(HashingMethod, method)
    if hashing.exact:
        snap_to_grid(hashing.network, spec.input.levels)
