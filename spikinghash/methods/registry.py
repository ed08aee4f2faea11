"""The table of methods: what a name in `model.method` stands for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from torch import nn

from spikinghash.data.sample_spec import FieldSpec
from spikinghash.errors import ConfigError
from spikinghash.methods.frame_options import FrameOptions, frame_options
from spikinghash.methods.hashnet import hashnet
from spikinghash.methods.spec import ModelSpec
from spikinghash.methods.spikingformer import spikingformer
from spikinghash.methods.spikinghash import VARIANTS, spikinghash
from spikinghash.methods.supervised import SupervisedMethod
from spikinghash.methods.takes import one_of
from spikinghash.methods.timesformer import timesformer


@dataclass(frozen=True)
class Entry:
    """`build(spec)` makes the method, whose own options are a `options` (`methods/options.py`).

    `takes` chooses its inputs among the modalities of a store. `labels` are what a sample must have: "one", "any"
    number of them, or "unseen": then no batch has targets. `alone` says why several workers cannot share its training,
    empty where they can. `variants` are the ablations it knows.
    """

    build: Callable[[ModelSpec], nn.Module]
    options: type[Any]
    takes: Callable[[Mapping[str, FieldSpec]], tuple[str, ...]]
    labels: Literal["one", "any", "unseen"] = "one"
    alone: str = ""
    variants: tuple[str, ...] = ("full",)


def supervised(
    network: Callable[[ModelSpec], nn.Module],
    *,
    exact: bool,
    variants: tuple[str, ...] = ("full",),
    method: type[SupervisedMethod] = SupervisedMethod,
) -> Entry:
    """The entry of a network of event clips or images that hashes and classifies, with the loss of `method`."""

    def build(spec: ModelSpec) -> SupervisedMethod:
        return method(network(spec), frame_options(spec), len(spec.classes), exact=exact, modality=spec.modality)

    return Entry(build, FrameOptions, one_of("events", "image"), variants=variants)


METHODS: dict[str, Entry] = {
    "spikinghash": supervised(spikinghash, exact=True, variants=tuple(VARIANTS)),
    "spikingformer-cml": supervised(spikingformer, exact=True),
    "timesformer": supervised(timesformer, exact=False),
    "hashnet": supervised(hashnet, exact=False),
}


def entry_of(method: str) -> Entry:
    """The entry of that name; `ConfigError` for an unknown one."""
    if method not in METHODS:
        raise ConfigError(f"unknown method {method!r}; one of: {', '.join(sorted(METHODS))}")
    return METHODS[method]
