"""S_hash: how alike the codes of two classes are (paper Fig. 5), to be seen beside S_soft of the training."""

from __future__ import annotations

from typing import Any

import numpy as np

from spikinghash.codes.codeset import CodeSet
from spikinghash.codes.packing import unpack


def class_similarity(codes: CodeSet, soft: dict[str, Any] | None = None) -> dict[str, Any]:
    """Mean <b_i, b_j> / K over the clips i, j of two classes, codes in {-1, +1}, as `hash` [C, C], JSON-ready.

    1 - 2 d / K for the mean distance d, so 1 is equal codes and 0 is chance; a clip is paired with itself too. `soft`
    is the `soft_similarity` of a model trained with the soft loss (`labels`, `matrix`), put in the same order.
    """
    labels = sorted({str(x) for x in codes.labels if x is not None})
    names = codes.labels.astype(str)
    signs = unpack(codes.codes).astype(np.float64) * 2 - 1
    means = np.stack([signs[names == label].mean(axis=0) for label in labels])
    out: dict[str, Any] = {"labels": labels, "hash": (means @ means.T / codes.bits).round(6).tolist(), "soft": None}
    if soft is not None:
        place = {name: i for i, name in enumerate(soft["labels"])}
        order = [place[label] for label in labels]
        out["soft"] = np.array(soft["matrix"])[np.ix_(order, order)].tolist()
    return out
