"""From a split of a cache to the data set that a model is trained on."""

from __future__ import annotations

import numpy as np

from spikinghash.data.dataset import Field, Prepare, SampleDataset
from spikinghash.data.label_sets import LabelSets
from spikinghash.data.open_cache import ClipCache
from spikinghash.errors import BadStore
from spikinghash.methods.spec import ModelSpec


def split_dataset(cache: ClipCache, split: str, spec: ModelSpec) -> SampleDataset:
    """The clips of `split` for the network of `spec`; `BadStore` for none, or labels that the model does not know."""
    clips, found = cache.splits[split]
    if not len(clips):
        raise BadStore(f"{clips.path}: no clips in split {split}; raise frames.val_fraction or add recordings")
    names = [*cache.classes, None]
    known: dict[str | None, int] = {name: i for i, name in enumerate(spec.classes)}
    strange = sorted(str(names[number]) for number in np.unique(found) if names[number] not in known)
    if strange:
        raise BadStore(f"{clips.path}: {split} clips with labels the model does not know: {', '.join(strange[:3])}")
    numbers = np.array([known.get(name, -1) for name in names], np.int64)
    labels = LabelSets.single(numbers[found], len(spec.classes))
    return SampleDataset({spec.modality: Field(clips, Prepare(spec.fit_stored, spec.to_input))}, labels)
