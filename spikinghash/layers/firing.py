"""Firing rates of every spiking layer, seen by hooks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn

from spikinghash.layers.conv import NormLIF
from spikinghash.layers.hash_layer import HashNeurons, HashOutput
from spikinghash.neurons.neuron import Neuron


@contextmanager
def firing_rates(network: nn.Module) -> Iterator[dict[str, float]]:
    """Within the block, collect the mean spike rate of each spiking layer by name (last call wins).

    A neuron used several times in one pass (inside the wavelet transforms) reports its last use.
    """
    rates: dict[str, float] = {}
    handles = []
    inner = {id(m.neuron) for m in network.modules() if isinstance(m, NormLIF)}
    for name, module in network.named_modules():
        if isinstance(module, NormLIF | HashNeurons) or (isinstance(module, Neuron) and id(module) not in inner):

            def hook(_: nn.Module, __: object, out: Tensor | HashOutput, name: str = name) -> None:
                rates[name] = float((out.rate if isinstance(out, HashOutput) else out).detach().mean())

            handles.append(module.register_forward_hook(hook))
    try:
        yield rates
    finally:
        for handle in handles:
            handle.remove()
