"""Files of fixed-size records after a header: what every such reader checks first."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from spikinghash.errors import BadRecording


def whole_records(data: bytes, start: int, dtype: DTypeLike) -> NDArray[Any]:
    """View of all records from byte `start` to the end, without a copy.

    Raises `BadRecording("truncated")` at the incomplete record, if the last one is.
    """
    size = np.dtype(dtype).itemsize
    rest = (len(data) - start) % size
    if start > len(data) or rest:
        where = min(start, len(data)) if start > len(data) else len(data) - rest
        message = f"the last record has {len(data) - where} of {size} bytes; copy the file again from its source"
        raise BadRecording("truncated", message, where)
    return np.frombuffer(data, dtype=dtype, offset=start) if len(data) > start else np.empty(0, dtype=dtype)
