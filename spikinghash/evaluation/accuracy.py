"""Top-1 accuracy of a hashing model's classifier."""

from __future__ import annotations

import numpy as np
import torch

from spikinghash.data.batch import to_network
from spikinghash.data.store import SampleStore
from spikinghash.errors import BadStore
from spikinghash.evaluation.metric import Metric
from spikinghash.inference.read_bits import predict
from spikinghash.training.checkpoint import LoadedModel


def has_classifier(model: LoadedModel) -> bool:
    """Whether the network names classes beside bits."""
    return hasattr(model.method.network, "classify")


def top1_accuracy(model: LoadedModel, store: SampleStore, split: str, batch: int = 64) -> Metric:
    """Share of the clips of `split` whose largest logit is their class's; a class the model lacks counts as wrong.

    `BadStore` if the split has no clips.
    """
    spec = model.spec
    device = next(model.method.parameters()).device
    hits: list[np.ndarray] = []
    for values, rows in store.iter_inputs(spec.modality, split, batch):
        frames = to_network(torch.from_numpy(spec.input.fit(values))).to(device)
        best = predict(model.method, frames).argmax(1).tolist()
        hits.append(np.array([spec.classes[i] == row.label for i, row in zip(best, rows, strict=True)], np.float64))
    if not hits:
        raise BadStore(f"{store.path}: no clips in split {split} to classify")
    values = np.concatenate(hits)
    said = {"clips": len(values), "split": split, "denominator": "clips of the split", "ties": "lowest class number"}
    return Metric("top-1 accuracy", float(values.mean()), said, values)
