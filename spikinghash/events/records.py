"""Files of fixed-size records after a header: what every such reader checks first."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from spikinghash.errors import BadRecording


def whole_records(data: bytes, start: int, dtype: DTypeLike) -> NDArray[Any]:
    """View of all records from byte `start` to the end, without a copy; raises as `refuse_incomplete`."""
    refuse_incomplete(len(data), start, np.dtype(dtype).itemsize)
    return np.frombuffer(data, dtype=dtype, offset=start) if len(data) > start else np.empty(0, dtype=dtype)


def refuse_incomplete(content: int, start: int, size: int) -> None:
    """Raise `BadRecording("truncated")` unless records of `size` bytes from byte `start` fill a content of so many."""
    rest = (content - start) % size
    if start > content or rest:
        where = min(start, content) if start > content else content - rest
        message = f"the last record has {content - where} of {size} bytes; copy the file again from its source"
        raise BadRecording("truncated", message, where)
