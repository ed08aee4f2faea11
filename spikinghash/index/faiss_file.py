"""Codes as the file of a FAISS `IndexBinaryFlat`, so that FAISS can open an index too.

FAISS writes it. It is read here, with bounds checked: 33 bytes of header and the codes row by row. So a search needs
neither FAISS nor a second copy of the codes.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

# kind, bits, bytes of a code, rows, trained, metric, bytes of all codes
_HEADER = struct.Struct("<4siiq?iQ")
_FLAT = b"IBxF"


def flat_to_bytes(codes: NDArray[np.uint8]) -> bytes:
    """Codes uint8 [N, K/8] as FAISS serialises them."""
    import faiss

    index = faiss.IndexBinaryFlat(codes.shape[1] * 8)
    index.add(np.ascontiguousarray(codes))
    return bytes(faiss.serialize_index_binary(index).tobytes())


def flat_from_bytes(content: bytes | memoryview) -> NDArray[np.uint8]:
    """The codes uint8 [N, K/8] in a file of FAISS, read-only and without a copy; `ValueError` says what is wrong."""
    if len(content) < _HEADER.size:
        raise ValueError(f"{len(content)} bytes are too short")
    kind, bits, width, rows, _, _, size = _HEADER.unpack_from(content)
    if kind != _FLAT:
        raise ValueError(f"it holds {kind!r}, not a flat binary index")
    if width < 1 or bits != width * 8 or rows < 0 or size != rows * width or len(content) != _HEADER.size + size:
        raise ValueError(f"{rows} codes of {bits} bits do not fit into {len(content)} bytes")
    return np.frombuffer(content, np.uint8, offset=_HEADER.size).reshape(rows, width)
