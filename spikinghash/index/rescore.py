"""Ranking the nearest codes once more, by the real scores of the query.

Queries are not binarised, codes are: the asymmetric distance of Gordo et al., "Asymmetric distances for binary
embeddings" (PAMI 2014). It breaks the many ties that whole distances in bits leave.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from spikinghash.codes.packing import unpack

#: So many times k clips are looked at again.
SPARE = 4


def rescored(found: pa.Table, scores: NDArray[np.float32]) -> pa.Table:
    """Clips with a column `code`, K/8 bytes, in the order of how well their bits agree with `scores` [K] of the query.

    Agreement is the sum of scores times bits as -1 and 1, in column `score`; what agrees equally keeps its order.
    """
    codes = np.frombuffer(b"".join(found.column("code").to_pylist()), np.uint8).reshape(-1, len(scores) // 8)
    agreement = (2.0 * unpack(codes) - 1.0) @ scores.astype(np.float64)
    order = np.argsort(-agreement, kind="stable")
    return found.take(pa.array(order)).append_column("score", pa.array(agreement[order], pa.float64()))
