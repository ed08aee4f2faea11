"""Inference on CPU as a chain of kernels on arrays, a few clips at a time.

Between the kernels there are no tensors and no modules, whose calls would cost as much as the small kernels do, and a
few clips stay in cache from one kernel to the next. A layer that has such a form gives it as `compiled()`; every other
layer runs as it is (`plain`). Clips do not influence each other, so neither their number nor threads change a bit.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from spikinghash.layers.constants import kept
from spikinghash.layers.fused import parts

#: An array x[T, B, H, W, C] -> another one of its own. It may not write to x.
Step = Callable[[np.ndarray], np.ndarray]
#: How many clips go through the chain together: a layer of Nano has 64 kB a clip.
CLIPS = 16


def chain(*steps: Step) -> Step:
    """One step after the other."""

    def run(x: np.ndarray) -> np.ndarray:
        for step in steps:
            x = step(x)
        return x

    return run


def compiled(layer: nn.Module) -> Step:
    """The layer as a step: its own, or its `forward` as it is."""
    if isinstance(layer, nn.Sequential):
        return chain(*(compiled(part) for part in layer))
    make: Any = getattr(layer, "compiled", None)
    own: Step = plain(layer) if make is None else make()
    return own


def plain(layer: Callable[[Tensor], Tensor]) -> Step:
    """A function [T, B, C, H, W] -> [T, B, C', H', W'] on tensors as a step."""

    @torch.no_grad()
    def run(x: np.ndarray) -> np.ndarray:
        y: np.ndarray = layer(torch.from_numpy(x).movedim(-1, 2)).movedim(2, -1).contiguous().numpy()
        return y

    return run


def fast(layer: nn.Module, x: Tensor, *, channel: int = 2, clips: int = 1) -> Tensor:
    """`layer` on x by its compiled form; `channel` and `clips` are the axes of the channels and of the clips in x."""
    return torch.from_numpy(run(layer, x.movedim(channel, -1).numpy(), clips)).movedim(-1, channel)


def frames_through(network: nn.Module, x: Tensor) -> Tensor:
    """Counts [T, B, P, H, W] through the compiled form of a network -> [T, B, C, H', W']."""
    return torch.from_numpy(run(network, x.numpy())).movedim(-1, 2)


def run(layer: nn.Module, x: np.ndarray, clips: int = 1) -> np.ndarray:
    """The compiled form of `layer`, made anew when a weight has changed, on an array."""
    tensors = [t for m in parts(layer) for t in (*m._parameters.values(), *m._buffers.values())]
    step: Step = kept(layer, tensors, layer.compiled)  # type: ignore[arg-type]
    return in_parts(step, x, clips)


def in_parts(step: Step, x: np.ndarray, clips: int = 1) -> np.ndarray:
    """`step` on `CLIPS` clips of x, along the axis `clips`, at a time, on as many threads as torch has here."""
    count = max(1, -(-x.shape[clips] // CLIPS))
    blocks = [np.ascontiguousarray(block) for block in np.array_split(x, count, axis=clips)]
    threads = min(torch.get_num_threads(), count)
    if threads > 1:
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            done = list(pool.map(step, blocks))
    else:
        done = [step(block) for block in blocks]
    return done[0] if count == 1 else np.concatenate(done, axis=clips)
