"""A network's plan: all between frames and pooled features as steps on arrays, a few clips at a time.

A few clips stay in cache from one kernel to the next. Clips do not influence each other, so neither their number nor
threads change a bit. A plan is made anew when a module, weight, hook or constant of the network has changed.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from spikinghash.inference import lower_layers, lower_mixers  # noqa: F401  they register
from spikinghash.inference.lower_stem import lower_stem
from spikinghash.inference.lowering import Step, chain, lower
from spikinghash.kernels.checksum import checksum
from spikinghash.layers.deferred import has_hooks
from spikinghash.layers.hash_layer import global_average
from spikinghash.layers.hashing_network import HashingNetwork

#: How many clips go through the chain together: a layer of Nano has 64 kB a clip.
CLIPS = 32
_OURS = __package__.split(".", maxsplit=1)[0] + "."
_PLAIN, _COLLECTIONS = (bool, int, float, str, tuple, np.generic), (list, dict, set)
_LOCK = threading.Lock()


def features(network: HashingNetwork, x: Tensor) -> Tensor:
    """`network.features(x)` in inference: frames x [T, B, P, H, W] -> [T, B, C], bit for bit.

    A network that somebody watches by hooks runs as it is.
    """
    modules = list(network.modules())
    tensors = tensors_of(modules)
    usual = torch.is_grad_enabled() or any(m.training or has_hooks(m) for m in modules)
    # torch counts no changes of what was made in `torch.inference_mode`
    usual = usual or any(tensor.is_inference() for tensor in tensors)
    if usual or x.shape[1] == 0 or x.device.type != "cpu" or x.dtype not in (torch.float32, torch.uint8):
        return network.features(x)
    clips = x.shape[1] if any(map(_is_stranger, modules)) else CLIPS
    maps = in_parts(plan(network, modules, tensors), x.numpy(), clips)
    return global_average(torch.from_numpy(maps).movedim(-1, 2), exact=True)


def tensors_of(modules: list[nn.Module]) -> list[Tensor]:
    """Their own parameters and buffers."""
    return [t for m in modules for own in (m._parameters, m._buffers) for t in own.values() if t is not None]


def plan(network: HashingNetwork, modules: list[nn.Module], tensors: list[Tensor]) -> Step:
    """Frames [T, B, P, H, W] -> feature maps [T, B, H', W', C]; `modules` and `tensors` are all of the network's."""
    marks = fingerprint(modules)
    with _LOCK:
        found = network.__dict__.get("_plan")
        if found is None or found.marks != marks or found.sums != [*map(checksum, found.memory)]:
            kept, memory = [*modules, *tensors], [*map(memory_of, tensors)]
            found = network.__dict__["_plan"] = _Plan(marks, kept, memory, [*map(checksum, memory)], _lower(network))
    step: Step = found.step
    return step


class _Plan:
    """A step and what it was made of: `kept`, so that nothing new can take its place in memory unseen, and the
    `memory` of the weights, with its checksums: writes through `.data` or numpy are counted nowhere.

    It lives and dies with its network, and a copy of the network makes its own.
    """

    def __init__(self, *found: Any) -> None:
        self.marks, self.kept, self.memory, self.sums, self.step = found or (None,) * 5

    def __reduce__(self) -> tuple[type[_Plan], tuple[()]]:
        return _Plan, ()


def _lower(network: HashingNetwork) -> Step:
    return chain(lower_stem(network), *(lower(part) for part in network.body()))


def fingerprint(modules: list[nn.Module]) -> list[Any]:
    """What changes whenever a module, plain attribute or weight does, but for writes that torch does not count."""
    marks: list[Any] = []
    for module in modules:
        own = module.__dict__
        marks += (id(module), type(module), "forward" in own, *_constants(own))
        for t in tensors_of([module]):
            marks += (id(t), t._version, t.data_ptr(), t.shape, t.stride(), t.dtype, t.is_neg())
    return marks


def memory_of(tensor: Tensor) -> np.ndarray:
    """The bytes from a tensor's first value to its last, whatever its strides are."""
    last = sum((n - 1) * by for n, by in zip(tensor.shape, tensor.stride(), strict=True))
    size, count = tensor.element_size(), last + 1 if tensor.numel() else 0
    where = tensor.untyped_storage(), tensor.storage_offset() * size, (count * size,), (1,)
    found: np.ndarray = torch.empty(0, dtype=torch.uint8).set_(*where).numpy()
    return found


def _constants(own: dict[str, Any]) -> Iterator[Any]:
    """Numbers and names among a module's attributes, and lists of them. What begins with _ is torch's own."""
    for name, value in own.items():
        if name[0] == "_":
            continue
        if isinstance(value, _PLAIN):
            yield value
        elif isinstance(value, Tensor):
            yield value.tolist()
        elif isinstance(value, _COLLECTIONS):
            yield repr(value)


def _is_stranger(module: nn.Module) -> bool:
    """Whether a part is none of ours or of torch's: it may look at other clips, so it has to see them all."""
    return "forward" in module.__dict__ or not type(module).__module__.startswith((_OURS, "torch.nn."))


def in_parts(step: Step, x: np.ndarray, clips: int = CLIPS) -> np.ndarray:
    """`step` on so many clips of x[T, B, ...] at a time, on as many threads as torch has here."""
    count = max(1, -(-x.shape[1] // clips))
    blocks = [np.ascontiguousarray(block) for block in np.array_split(x, count, axis=1)]
    threads = min(torch.get_num_threads(), count)
    if threads > 1:
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            done = list(pool.map(step, blocks))
    else:
        done = [step(block) for block in blocks]
    return done[0] if count == 1 else np.concatenate(done, axis=1)
