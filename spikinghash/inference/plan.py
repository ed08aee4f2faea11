"""A network's plan: all between frames and pooled features as steps on arrays, a few clips at a time.

A few clips stay in cache from one kernel to the next. Clips do not influence each other, so neither their number nor
threads change a bit. A plan is made anew when a module, weight, hook or constant of the network has changed.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor, nn

from spikinghash.inference import lower_layers, lower_mixers  # noqa: F401  they register
from spikinghash.inference.lower_stem import lower_stem
from spikinghash.inference.lowering import Step, chain, lower
from spikinghash.layers.deferred import has_hooks
from spikinghash.layers.hash_layer import global_average
from spikinghash.layers.hashing_network import HashingNetwork

#: How many clips go through the chain together: a layer of Nano has 64 kB a clip.
CLIPS = 16
#: Plans by network, with what they were made of, which is kept so that nothing new can take its place in memory unseen.
_PLANS: WeakKeyDictionary[nn.Module, tuple[list[Any], list[object], Step]] = WeakKeyDictionary()
_LOCK = threading.Lock()


def features(network: HashingNetwork, x: Tensor) -> Tensor:
    """`network.features(x)` in inference: frames x [T, B, P, H, W] -> [T, B, C], bit for bit.

    A network that somebody watches by hooks runs as it is.
    """
    usual = network.training or torch.is_grad_enabled() or any(map(has_hooks, network.modules()))
    if (
        usual
        or x.shape[1] == 0
        or x.device.type != "cpu"
        or x.dtype not in (torch.float32, torch.uint8)
        or _untracked(network)
    ):
        return network.features(x)
    step = plan(network)
    maps = in_parts(step, x.numpy())
    return global_average(torch.from_numpy(maps).movedim(-1, 2), exact=True)


def _untracked(network: nn.Module) -> bool:
    """Whether torch counts no changes of the weights, as in `torch.inference_mode`."""
    return any(tensor.is_inference() for tensor in (*network.parameters(), *network.buffers()))


def plan(network: HashingNetwork) -> Step:
    """Frames [T, B, P, H, W] -> feature maps [T, B, H', W', C]."""
    marks, kept = fingerprint(network)
    with _LOCK:
        found = _PLANS.get(network)
        if found is None or found[0] != marks:
            found = _PLANS[network] = marks, kept, _lower(network)
    return found[2]


def _lower(network: HashingNetwork) -> Step:
    return chain(lower_stem(network), *(lower(part) for part in network.body()))


def fingerprint(network: nn.Module) -> tuple[list[Any], list[object]]:
    """What changes whenever a module, weight or plain attribute does, and the objects whose identity it names."""
    marks: list[Any] = []
    kept: list[object] = []
    for module in network.modules():
        kept.append(module)
        own = module.__dict__
        marks += (id(module), "forward" in own)
        marks += [value for value in own.values() if type(value) in (bool, int, float, str, tuple)]
        for tensor in (*own["_parameters"].values(), *own["_buffers"].values()):
            if tensor is not None:
                kept.append(tensor)
                marks += (id(tensor), tensor._version, tensor.data_ptr())
    return marks, kept


def in_parts(step: Step, x: np.ndarray) -> np.ndarray:
    """`step` on `CLIPS` clips of x[T, B, ...] at a time, on as many threads as torch has here."""
    count = max(1, -(-x.shape[1] // CLIPS))
    blocks = [np.ascontiguousarray(block) for block in np.array_split(x, count, axis=1)]
    threads = min(torch.get_num_threads(), count)
    if threads > 1:
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            done = list(pool.map(step, blocks))
    else:
        done = [step(block) for block in blocks]
    return done[0] if count == 1 else np.concatenate(done, axis=1)
