"""Bounded decompression of LZ4 and Zstandard frames."""

from __future__ import annotations

from spikinghash.errors import BadRecording
from spikinghash.events.damaged import damaged

CHUNK_BYTES = 2**20
MAX_RATIO = 200


def inflate(data: bytes, codec: str) -> bytes:
    """Content of a frame; `codec` is "lz4" or "zstd".

    Raises `BadRecording`: expansion (over 200 times and over 1 MiB), decoder-crash (damaged).
    """
    import pyarrow as pa

    room = max(MAX_RATIO * len(data), CHUNK_BYTES)
    parts: list[bytes] = []
    with damaged(f"a {codec} packet"), pa.CompressedInputStream(pa.BufferReader(data), codec) as stream:
        while part := stream.read(CHUNK_BYTES):
            room -= len(part)
            if room < 0:
                raise BadRecording("expansion", f"a packet of {len(data)} bytes inflates more than {MAX_RATIO} times")
            parts.append(part)
    return b"".join(parts)
