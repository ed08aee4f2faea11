"""MATLAB `.mat` of UCF101-DVS, HMDB51-DVS and ASL-DVS: column vectors `ts`, `x`, `y`, `pol`.

Version 5 ("MAT-File Format", MathWorks) through `scipy.io.loadmat`, after a walk over its elements that keeps plain
numeric arrays of these names only and bounds what they inflate to; version 7.3 is HDF5. Times are microseconds.
y is kept as stored: UCF101-DVS stores it upside down, `ReadOptions.flip_y` turns it.
"""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikinghash.errors import BadRecording
from spikinghash.events.columns import ALIASES, events_from, pick_columns
from spikinghash.events.damaged import damaged
from spikinghash.events.events import Events
from spikinghash.events.npz import FREE_BYTES, MAX_OUTPUT_BYTES, MAX_RATIO
from spikinghash.events.options import DEFAULTS, ReadOptions

NAME = "mat"
HEADER_BYTES = 128
_MATRIX, _COMPRESSED = 14, 15
#: Array classes double to uint64; cells, structures, objects, text and sparse arrays are skipped.
_NUMERIC = range(6, 16)
_NAMES = {name for names in ALIASES.values() for name in names}


def looks_like(head: bytes, size: int) -> bool:
    """Whether the file starts as MATLAB 5 (to 7.2) or 7.3 writes it."""
    return head.startswith((b"MATLAB 5.0 MAT-file", b"MATLAB 7.3 MAT-file"))


def read(data: bytes, options: ReadOptions = DEFAULTS) -> Events:
    """Decode the whole content of a file.

    Raises `BadRecording`: truncated, expansion, unknown-format (no event arrays), dtype, link and chunk (7.3), and what
    `validate` refuses.
    """
    if data.startswith(b"MATLAB 7.3"):
        from spikinghash.events import hdf5

        return hdf5.read_as(NAME, data, options)
    arrays = {name: array for name, array in _numeric_arrays(data).items() if name.lower() in _NAMES}
    columns = pick_columns(arrays)
    if columns is None:
        raise BadRecording("unknown-format", f"the arrays {sorted(arrays)} are not ts, x, y, pol")
    return events_from(columns, options, format=NAME)


def _numeric_arrays(data: bytes) -> dict[str, NDArray[Any]]:
    from scipy.io import loadmat

    kept = [data[:HEADER_BYTES], *_elements(data)]
    if len(kept) == 1:
        return {}
    with damaged("a MATLAB array"), np.errstate(all="ignore"):
        loaded = loadmat(io.BytesIO(b"".join(kept)), mat_dtype=False, verify_compressed_data_integrity=False)
    return {name: array for name, array in loaded.items() if isinstance(array, np.ndarray)}


def _elements(data: bytes) -> list[bytes]:
    """The plain numeric arrays of the file, inflated."""
    if len(data) < HEADER_BYTES:
        raise BadRecording("truncated", "the file ends inside its header", len(data))
    order = ">" if data[126:128] == b"MI" else "<"
    room = min(max(MAX_RATIO * len(data), FREE_BYTES), MAX_OUTPUT_BYTES)
    kept, position = [], HEADER_BYTES
    while position < len(data):
        if position + 8 > len(data):
            raise BadRecording("truncated", "the file ends inside the tag of an array", position)
        kind, size = struct.unpack_from(f"{order}II", data, position)
        end = position + 8 + size
        if end > len(data):
            raise BadRecording("truncated", f"an array of {size} bytes goes beyond the end of the file", position)
        element = data[position:end]
        if kind == _COMPRESSED:
            element = _inflate(data[position + 8 : end], room, position)
            room -= len(element)
        if _is_numeric(element, order):
            kept.append(element)
        position = end
    return kept


def _inflate(data: bytes, room: int, position: int) -> bytes:
    inflater = zlib.decompressobj()
    try:
        element = inflater.decompress(data, room)
    except zlib.error as error:
        raise BadRecording("decoder-crash", f"a compressed array is damaged: {error}", position) from error
    if not inflater.eof:
        full = len(element) >= room
        reason, message = ("expansion", "inflates too far") if full else ("truncated", "is not complete")
        raise BadRecording(reason, f"a compressed array {message}", position)
    return element


def _is_numeric(element: bytes, order: str) -> bool:
    """Whether an element is a complete matrix of numbers: tag, flags (8 + 8 bytes), dimensions of two sides."""
    if len(element) < 40:
        return False
    kind, size, flags_kind, flags_size, flags = struct.unpack_from(f"{order}IIIII", element)
    if kind != _MATRIX or size != len(element) - 8 or (flags_kind, flags_size) != (6, 8):
        return False
    dims_kind, dims_size, rows, columns = struct.unpack_from(f"{order}IIii", element, 24)
    return (
        flags & 0xFF in _NUMERIC
        and (dims_kind, dims_size) == (5, 8)
        and rows >= 0
        and columns >= 0
        and rows * columns <= len(element)
    )
