"""NumPy `.npy`: one structured array, or one plain array of N rows x, y, p, t as in tonic's DVSGesture download.

Described in `numpy.lib.format`. Plain float arrays hold milliseconds (tonic multiplies them by 1000), plain integers
microseconds, as structured ones do; `ReadOptions.time_unit` says otherwise. Arrays of objects are pickles: refused.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikinghash.errors import BadRecording
from spikinghash.events.columns import events_from, pick_columns
from spikinghash.events.damaged import damaged
from spikinghash.events.events import Events
from spikinghash.events.options import DEFAULTS, ReadOptions

NAME = "npy"
MAGIC = b"\x93NUMPY"
#: Column order of plain arrays.
PLAIN = "xypt"
_LEAST_BYTES = 10


def looks_like(head: bytes, size: int) -> bool:
    """Whether the file starts with NumPy's magic bytes."""
    return head.startswith(MAGIC)


def read(data: bytes, options: ReadOptions = DEFAULTS) -> Events:
    """Decode the whole content of a file.

    Raises `BadRecording`: truncated, count, pickle, dtype, and what `validate` refuses.
    """
    return table_events(parse(data), options, format=NAME)


def parse(data: bytes) -> NDArray[Any]:
    """The array in `.npy` content, as a view of it; nothing is unpickled and nothing allocated for claimed shapes."""
    if len(data) < _LEAST_BYTES:
        raise BadRecording("truncated", "the file ends inside its header", len(data))
    stream = io.BytesIO(data)
    with damaged("the NumPy header"):
        version = np.lib.format.read_magic(stream)
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = header(stream)
    if dtype.hasobject:
        raise BadRecording("pickle", "the array holds Python objects, which are never unpickled")
    start, count = stream.tell(), 1
    for side in shape:
        count *= side
    if any(side < 0 for side in shape) or dtype.itemsize == 0 or count > 2**48:
        raise BadRecording("count", f"the header claims the shape {shape}", 0)
    if len(data) - start < count * dtype.itemsize:
        message = f"the header claims {count} values of {dtype.itemsize} bytes, {len(data) - start} bytes follow"
        raise BadRecording("truncated", message, len(data))
    array = np.frombuffer(data, dtype=dtype, count=count, offset=start) if count else np.empty(0, dtype=dtype)
    return array.reshape(shape, order="F" if fortran else "C")


def table_events(array: NDArray[Any], options: ReadOptions, *, format: str) -> Events:
    """`Events` of a structured array [N] or a plain one [N, 4] or [4, N]."""
    if array.dtype.names is not None:
        columns = pick_columns({name: array[name] for name in array.dtype.names})
        if columns is None:
            raise BadRecording("dtype", f"the fields {', '.join(array.dtype.names)[:100]} are not t, x, y, p")
        return events_from(columns, options, format=format)
    if array.ndim == 2 and array.shape[1] != len(PLAIN) and array.shape[0] == len(PLAIN):
        array = array.T
    if array.ndim != 2 or array.shape[1] != len(PLAIN):
        raise BadRecording("count", f"an array of the shape {array.shape} is no table of x, y, p, t")
    unit = "ms" if array.dtype.kind == "f" else "us"
    return events_from(dict(zip(PLAIN, array.T, strict=True)), options, format=format, time_unit=unit)
