"""The table of methods: what a name in `model.method` stands for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from torch import nn

from spikinghash.errors import ConfigError
from spikinghash.methods.cca import CcaOptions, cca, cca_itq
from spikinghash.methods.contrastive import ContrastiveOptions, contrastive
from spikinghash.methods.dhsl import options as dhsl_options
from spikinghash.methods.dhsl.method import dhsl
from spikinghash.methods.dhsl.options import DhslOptions
from spikinghash.methods.frame_options import FrameOptions, frame_options
from spikinghash.methods.hashnet import hashnet
from spikinghash.methods.hybridhash import options as hybridhash_options
from spikinghash.methods.hybridhash.method import hybridhash
from spikinghash.methods.hybridhash.options import HybridHashOptions
from spikinghash.methods.input_vectors import vector_width
from spikinghash.methods.itq import ItqOptions, PairedItqOptions, itq, paired_itq
from spikinghash.methods.lsh import LshOptions, lsh
from spikinghash.methods.options import options_of
from spikinghash.methods.spec import ModelSpec
from spikinghash.methods.spikehash import options as spikehash_options
from spikinghash.methods.spikehash.method import spikehash
from spikinghash.methods.spikehash.options import SpikeHashOptions
from spikinghash.methods.spikingformer import spikingformer
from spikinghash.methods.spikinghash import VARIANTS, spikinghash
from spikinghash.methods.supervised import SupervisedMethod
from spikinghash.methods.takes import Takes, one_of, pairs_of
from spikinghash.methods.timesformer import timesformer

#: What a sample must have of labels; a method for which they are unseen gets no targets.
Labels = Literal["one", "any", "unseen"]


@dataclass(frozen=True)
class Entry:
    """`build(spec)` makes the method, whose own options are a `options` (`methods/options.py`).

    `takes` chooses its inputs among the modalities of a store. `labels` are what a sample must have: "one", "any"
    number of them, or "unseen": then no batch has targets. `alone` says why several workers cannot share its training,
    empty where they can. `variants` are the ablations it knows. `closed_form`: all of its training is its `fit`.
    """

    build: Callable[[ModelSpec], nn.Module]
    options: type[Any]
    takes: Takes
    labels: Labels = "one"
    alone: str = ""
    variants: tuple[str, ...] = ("full",)
    closed_form: bool = False


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


#: A method made of the widths of its inputs, bits, classes, its options and a variant.
MakeOfVectors = Callable[[Mapping[str, int], int, int, Any, str], nn.Module]


def of_vectors(
    make: MakeOfVectors,
    options: type[Any],
    takes: Takes,
    *,
    labels: Labels = "unseen",
    alone: str = "",
    variants: tuple[str, ...] = ("full",),
    closed_form: bool = False,
) -> Entry:
    """The entry of a method that sees each input as one vector."""

    def build(spec: ModelSpec) -> nn.Module:
        widths = {name: vector_width(one.shape) for name, one in spec.inputs.items()}
        given = options_of(options, spec.options, spec.method)
        return make(widths, spec.bits, len(spec.classes), given, spec.variant)

    return Entry(build, options, takes, labels, alone, variants, closed_form)


_PAIRS = pairs_of("features", "image", "text")
_ALL_PAIRS = "its loss compares all pairs of a step, which are then in one process"
_ONE_BANK = "its loss compares all of a step with codes of the training set, and each would remember its own part"
_ANY = one_of("events", "image", "features")

METHODS: dict[str, Entry] = {
    "spikinghash": supervised(spikinghash, exact=True, variants=tuple(VARIANTS)),
    "spikingformer-cml": supervised(spikingformer, exact=True),
    "timesformer": supervised(timesformer, exact=False),
    "hashnet": supervised(hashnet, exact=False),
    "lsh": of_vectors(lsh, LshOptions, _ANY, closed_form=True),
    "itq": of_vectors(itq, ItqOptions, _ANY, closed_form=True),
    "cca": of_vectors(cca, CcaOptions, _PAIRS, closed_form=True),
    "cca-itq": of_vectors(cca_itq, CcaOptions, _PAIRS, closed_form=True),
    "paired-itq": of_vectors(paired_itq, PairedItqOptions, _PAIRS, closed_form=True),
    "contrastive": of_vectors(contrastive, ContrastiveOptions, _PAIRS, alone=_ALL_PAIRS),
    "spikehash": of_vectors(spikehash, SpikeHashOptions, _PAIRS, alone=_ALL_PAIRS, variants=spikehash_options.VARIANTS),
    "dhsl": of_vectors(dhsl, DhslOptions, _PAIRS, labels="any", alone=_ALL_PAIRS, variants=dhsl_options.VARIANTS),
    "hybridhash": Entry(hybridhash, HybridHashOptions, one_of("image"), "any", _ONE_BANK, hybridhash_options.VARIANTS),
}


def entry_of(method: str) -> Entry:
    """The entry of that name; `ConfigError` for an unknown one."""
    if method not in METHODS:
        raise ConfigError(f"unknown method {method!r}; one of: {', '.join(sorted(METHODS))}")
    return METHODS[method]
