"""All training rows once, in blocks, for what is computed from them before the first step."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from spikinghash.data.batch import Batch
from spikinghash.data.dataset import SampleDataset
from spikinghash.errors import ConfigError

_BLOCK = 512


def blocks(train: SampleDataset, most: int | None = None) -> Iterator[Batch]:
    """Batches of up to `_BLOCK` rows in stored order, on CPU, as methods take them.

    `most` rows are enough: then that many, at equal distances. `ConfigError` for fewer than two rows.
    """
    if len(train) < 2:
        raise ConfigError(f"{len(train)} training rows: means and spreads need at least 2; ingest more samples")
    count = len(train) if most is None else min(most, len(train))
    chosen = np.arange(count, dtype=np.int64) * len(train) // count
    for first in range(0, count, _BLOCK):
        rows = chosen[first : first + _BLOCK].tolist()
        yield train.for_method(train.__getitems__(rows), torch.device("cpu"))
