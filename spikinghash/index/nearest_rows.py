"""What a search for the k nearest rows gives, whoever searches."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class NearestRows(NamedTuple):
    """Row numbers int64 [Q, k] and their Hamming distances int32 [Q, k], each query's by (distance, row)."""

    rows: NDArray[np.int64]
    distances: NDArray[np.int32]
