"""From a split of a cache to the data set that a model is trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from spikinghash.data.dataset import Field, Prepare, SampleDataset
from spikinghash.data.open_cache import SampleCache
from spikinghash.errors import BadStore
from spikinghash.methods.registry import entry_of
from spikinghash.methods.spec import ModelSpec


def split_dataset(cache: SampleCache, split: str, spec: ModelSpec) -> SampleDataset:
    """The samples of `split` for the network of `spec`, which all have its modalities, and labels as the method needs
    them.

    Raises `BadStore` as `labelled_split`, and where a sample has no label or several, or lacks a modality.
    """
    wanted = entry_of(spec.method).labels
    prepared = {name: Prepare(one.fit_stored, one.to_input) for name, one in spec.inputs.items()}
    found = labelled_split(cache, split, cache.classes if wanted == "unseen" else spec.classes, prepared)
    for name, one in found.fields.items():
        if one.present is not None:
            lacking = f"{(~one.present).sum()} of {len(found)} {split} samples have no {name}"
            raise BadStore(f"{cache.folder}: {lacking}; {spec.method} is trained on samples that have it")
    counts = np.diff(found.labels.ends, prepend=0)
    if wanted == "one" and (counts != 1).any():
        many = "none" if (counts == 0).any() else f"{counts.max()}"
        raise BadStore(f"{cache.folder}: {spec.method} takes one label a sample; a {split} sample has {many}")
    found.hides_labels = wanted == "unseen"
    return found


def labelled_split(
    cache: SampleCache, split: str, classes: Sequence[str], prepare: Mapping[str, Prepare]
) -> SampleDataset:
    """The samples of `split` with the modalities in `prepare`, their targets in the order of `classes`.

    `BadStore` for no samples, for a modality that the store lacks, and for labels that are none of `classes`.
    """
    samples = cache.splits[split]
    if not len(samples):
        raise BadStore(f"{cache.folder}: no samples in split {split}; raise frames.val_fraction or add recordings")
    missing = [name for name in prepare if name not in samples.inputs]
    if missing:
        raise BadStore(f"{cache.folder}: samples have {', '.join(samples.inputs)}, the model takes {missing[0]}")
    known = {name: i for i, name in enumerate(classes)}
    used = [cache.classes[number] for number in np.unique(samples.labels.numbers)]
    strange = [name for name in used if name not in known]
    if strange:
        raise BadStore(f"{cache.folder}: {split} samples with labels the model does not know: {', '.join(strange[:3])}")
    numbers = np.array([known.get(name, -1) for name in cache.classes], np.int64)
    fields = {name: Field(samples.inputs[name], how, samples.present.get(name)) for name, how in prepare.items()}
    return SampleDataset(fields, samples.labels.renumbered(numbers, len(classes)), samples.groups)
