"""Neurons, convolutions, norms and pools one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from torch import Tensor, nn

from spikinghash.layers.accounts import Composed
from spikinghash.layers.deferred import Deferred, can_defer, has_hooks
from spikinghash.neurons.lif import LIF, has_kernels

#: Layers of torch that take images and would read [T, B, C, H, W] wrongly, or not at all.
_OF_IMAGES = (
    nn.modules.conv._ConvNd, nn.modules.batchnorm._NormBase, nn.GroupNorm, nn.modules.pooling._MaxPoolNd,
    nn.modules.pooling._AvgPoolNd, nn.modules.pooling._AdaptiveMaxPoolNd, nn.modules.pooling._AdaptiveAvgPoolNd,
    nn.Dropout2d,
)  # fmt: skip
#: Maps [T, B, C, H, W] to [T, B, C', H', W'].
Part = Callable[[Tensor], Tensor]


class SpikingSequential(Composed, nn.Sequential):
    """`nn.Sequential` of parts that map [T, B, C, H, W] to [T, B, C', H', W'].

    On CPU steps that can wait for the next do so (`deferred.py`); parts with hooks, and parts of unknown classes, are
    called as they are.
    """

    def __init__(self, **parts: nn.Module) -> None:
        super().__init__()
        for name, part in parts.items():
            self.add_module(name, part)

    def forward(self, x: Tensor) -> Tensor:
        """[T, B, C, H, W] -> [T, B, C', H', W']."""
        return through(x, self)


def through(x: Tensor, parts: Iterable[Part]) -> Tensor:
    """x [T, B, C, H, W] through `parts` -> [T, B, C', H', W'], in channels-last memory on CPU."""
    if not has_kernels(x):
        for part in parts:
            x = per_step(part, x)
        return x
    waiting = Deferred(x.movedim(2, -1).contiguous())
    for part in flat(parts):
        waiting = _after(waiting, part)
    return waiting.tensor().movedim(-1, 2)


def _after(waiting: Deferred, part: Any) -> Deferred:
    if not can_defer(part):
        return Deferred(per_step(part, waiting.tensor().movedim(-1, 2)).movedim(2, -1).contiguous())
    found: Deferred = waiting.fired(part) if isinstance(part, LIF) else part.defer(waiting)
    return found


def per_step(part: Part, x: Tensor) -> Tensor:
    """`part` of x [T, B, C, H, W]; torch's own layers of images [N, C, H, W] are applied to every step."""
    if isinstance(part, _OF_IMAGES) and not type(part).__module__.startswith(__package__ or ""):
        y: Tensor = part(x.flatten(0, 1))
        return y.unflatten(0, x.shape[:2])
    return part(x)


def flat(parts: Iterable[Part]) -> Iterator[Part]:
    """The parts of sequences among `parts` that nobody watches in their place."""
    for part in parts:
        if isinstance(part, SpikingSequential) and is_plain(part):
            yield from flat(part)
        else:
            yield part


def is_plain(part: SpikingSequential) -> bool:
    """Whether a sequence does what its parts do, and nobody waits for its call."""
    own = type(part).forward is SpikingSequential.forward and "forward" not in part.__dict__
    return own and not has_hooks(part)
