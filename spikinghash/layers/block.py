"""What hierarchical spiking networks are stacked from."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from spikinghash.layers.accounts import Composed
from spikinghash.layers.conv import ConvNorm
from spikinghash.layers.mlp import SpikingMLP
from spikinghash.layers.sequential import Part, SpikingSequential
from spikinghash.neurons.lif import LIF


class Downsample(SpikingSequential):
    """SN, 3x3 conv, BN, optional 3x3 stride-2 max pool. [T, B, C, H, W] -> [T, B, C', H', W']."""

    entry: LIF
    conv: ConvNorm

    def __init__(self, inputs: int, outputs: int, *, pool: bool, surrogate: str) -> None:
        super().__init__(entry=LIF(1.0, surrogate=surrogate), conv=ConvNorm(inputs, outputs, 3, pool=pool))


@dataclass(frozen=True, eq=False)
class Residual:
    """x + branch(x)."""

    branch: Part

    def __call__(self, x: Tensor) -> Tensor:
        """[T, B, C, H, W] -> the same shape."""
        return x + self.branch(x)


class Block(Composed, nn.Module):
    """Residual mixer and MLP: X + mixer(X), X + MLP(X) (eqs. 4-6 and 15-16). [T, B, C, H, W] -> the same shape."""

    def __init__(self, mixer: nn.Module, channels: int, ratio: int, surrogate: str) -> None:
        super().__init__()
        self.mixer = mixer
        self.mlp = SpikingMLP(channels, ratio, surrogate)

    def forward(self, x: Tensor) -> Tensor:
        """[T, B, C, H, W] -> [T, B, C, H, W]."""
        return Residual(self.mlp)(Residual(self.mixer)(x))
