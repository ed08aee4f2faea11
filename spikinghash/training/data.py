"""From a frame store to the tensors that the training loop takes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from spikinghash.errors import BadStore
from spikinghash.frames.store import FrameStore
from spikinghash.methods.method import LossWeights, build
from spikinghash.methods.spec import ModelSpec
from spikinghash.training.loop import TrainingData
from spikinghash.training.recipe import Recipe
from spikinghash.training.seeds import seed_everything


def prepare(frames: Path, spec: ModelSpec, weights: LossWeights, recipe: Recipe) -> tuple[nn.Module, TrainingData]:
    """A freshly initialised method and its data, the same on every rank."""
    store = FrameStore.open(frames)
    train, val = (load_tensors(store, split, spec) for split in ("train", "val"))
    if len(train[1]) < recipe.batch:
        raise BadStore(f"{frames}: {len(train[1])} training clips are fewer than train.batch = {recipe.batch}")
    seed_everything(recipe.seed)
    return build(spec, weights), TrainingData(*train, *val)


def load_tensors(store: FrameStore, split: str, spec: ModelSpec) -> tuple[Tensor, Tensor]:
    """Frames [N, T, P, H, W] as `spec.fit` gives them and labels [N]; `BadStore` for none, or unknown ones."""
    counts, rows = store.load(split)
    if not rows:
        raise BadStore(f"{store.path}: no clips in split {split}; raise frames.val_fraction or add recordings")
    numbers: dict[str | None, int] = {name: i for i, name in enumerate(spec.classes)}
    strange = sorted({str(row.label) for row in rows} - set(spec.classes))
    if strange:
        raise BadStore(f"{store.path}: {split} clips with labels the model does not know: {', '.join(strange[:3])}")
    labels = np.array([numbers[row.label] for row in rows], np.int64)
    return torch.from_numpy(spec.fit(counts)), torch.from_numpy(labels)
