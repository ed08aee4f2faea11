"""Pairs made up of a few hidden factors: two inputs of features that share them, and labels that follow from them."""

from dataclasses import replace

import numpy as np
import torch

from spikinghash.data.batch import Batch
from spikinghash.data.dataset import Field, SampleDataset
from spikinghash.data.label_sets import LabelSets
from spikinghash.data.samples import SampleArray

WIDTHS = {"image": 24, "text": 20}
CLASSES = 3


def features(rows=200, seed=0):
    rng = np.random.default_rng(seed)
    hidden = rng.standard_normal((rows, 6))
    mix = {name: np.random.default_rng(width).standard_normal((6, width)) for name, width in WIDTHS.items()}
    return hidden, {
        name: (2 + hidden @ w + 0.3 * rng.standard_normal((rows, w.shape[1]))).astype(np.float32)
        for name, w in mix.items()
    }


def pair_set(rows=200, seed=0, names=("image", "text")) -> SampleDataset:
    hidden, found = features(rows, seed)
    sets = [np.flatnonzero(row > 0).tolist() for row in hidden[:, :CLASSES]]
    return SampleDataset({n: Field(SampleArray(found[n])) for n in names}, LabelSets.of(sets, CLASSES))


def batch_of(train: SampleDataset, rows: list[int], *, labels=False) -> Batch:
    batch = train.__getitems__(rows)
    return batch if labels else replace(batch, targets=None)


def trained(method, train, steps, *, labels=False, seed=0):
    """A few steps of Adam; the losses of all of them."""
    rng = np.random.default_rng(seed)
    optimiser = torch.optim.Adam(method.parameters(), lr=1e-3)
    losses = []
    method.train()
    for _ in range(steps):
        result = method(batch_of(train, rng.permutation(len(train))[:64].tolist(), labels=labels))
        optimiser.zero_grad()
        result.loss.backward()
        optimiser.step()
        losses.append(float(result.loss.detach()))
    method.eval()
    return losses


def partner_rank(method, rows=100, seed=5):
    """Mean share of other rows' texts that are nearer to an image than its own, each hashed alone; 0.5 is chance."""
    inputs = {name: torch.from_numpy(x) for name, x in features(rows, seed)[1].items()}
    a, b = (method.hash({name: x})[name].bits.float() for name, x in inputs.items())
    distance = torch.cdist(a, b, p=1)
    own = distance.diagonal()[:, None]
    nearer, level = (distance < own).float().mean(1), (distance == own).float().mean(1)
    return float((nearer + level / 2).mean())
