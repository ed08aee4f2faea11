"""The table of methods: what a name in `model.method` stands for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from spikinghash.methods.hashnet import hashnet
from spikinghash.methods.method import LossWeights
from spikinghash.methods.spec import ModelSpec
from spikinghash.methods.spikingformer import spikingformer
from spikinghash.methods.spikinghash import VARIANTS, spikinghash
from spikinghash.methods.supervised import SupervisedMethod
from spikinghash.methods.timesformer import timesformer


@dataclass(frozen=True)
class Entry:
    """`build(spec, weights)` makes the method; `variants` are the ablations it knows."""

    build: Callable[[ModelSpec, LossWeights], nn.Module]
    variants: tuple[str, ...] = ("full",)


def _supervised(network: Callable[[ModelSpec], nn.Module], *, exact: bool) -> Callable[..., nn.Module]:
    return lambda spec, weights: SupervisedMethod(
        network(spec), weights, len(spec.classes), exact=exact, modality=spec.modality
    )


METHODS: dict[str, Entry] = {
    "spikinghash": Entry(_supervised(spikinghash, exact=True), tuple(VARIANTS)),
    "spikingformer-cml": Entry(_supervised(spikingformer, exact=True)),
    "timesformer": Entry(_supervised(timesformer, exact=False)),
    "hashnet": Entry(_supervised(hashnet, exact=False)),
}
