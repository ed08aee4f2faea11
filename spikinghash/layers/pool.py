"""The network's max pool, of every time step."""

from __future__ import annotations

from torch import Tensor, nn

from spikinghash.layers.deferred import Deferred, deferrable
from spikinghash.neurons.lif import has_kernels
from spikinghash.ops.max_pool import max_pool


@deferrable
class MaxPool(nn.MaxPool2d):
    """3 x 3, stride 2, padding 1. [T, B, C, H, W] -> [T, B, C, H', W']."""

    def __init__(self) -> None:
        super().__init__(3, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        """[T, B, C, H, W] -> [T, B, C, H', W']."""
        if has_kernels(x):
            return self.defer(Deferred(x.movedim(2, -1).contiguous())).tensor().movedim(-1, 2)
        return super().forward(x.flatten(0, 1)).unflatten(0, x.shape[:2])

    def defer(self, waiting: Deferred) -> Deferred:
        """Nothing is left to the next step."""
        if waiting.neuron is not None:
            waiting = Deferred(waiting.tensor())
        return Deferred(max_pool(waiting.charge(), *waiting.norm)[0])
