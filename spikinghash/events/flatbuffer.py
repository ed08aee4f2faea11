"""The few parts of FlatBuffers that AEDAT 4 needs, every access checked against the end of the buffer.

Described in "FlatBuffers internals" (flatbuffers.dev). Generated readers trust their input; here a wrong offset raises
`BadRecording("decoder-crash")`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from spikinghash.errors import BadRecording


def unpack(buffer: bytes, format: str, position: int) -> Any:
    """One little-endian number at `position`."""
    try:
        if position < 0:
            raise struct.error("negative offset")
        return struct.unpack_from(f"<{format}", buffer, position)[0]
    except struct.error as error:
        raise BadRecording("decoder-crash", f"a FlatBuffers offset is damaged: {error}") from error


@dataclass(frozen=True)
class Table:
    """A table at byte `position` of `buffer`."""

    buffer: bytes
    position: int

    @classmethod
    def root(cls, buffer: bytes, start: int = 0) -> Table:
        """The table that the offset at byte `start` leads to."""
        return cls(buffer, start + unpack(buffer, "I", start))

    def field(self, number: int) -> int | None:
        """Byte of field `number`, or None if it is not there."""
        vtable = self.position - unpack(self.buffer, "i", self.position)
        entry = 4 + 2 * number
        if entry + 2 > unpack(self.buffer, "H", vtable):
            return None
        offset = unpack(self.buffer, "H", vtable + entry)
        return self.position + offset if offset else None

    def scalar(self, number: int, format: str, default: int) -> int:
        """A number, by its `struct` letter."""
        position = self.field(number)
        return default if position is None else unpack(self.buffer, format, position)

    def vector(self, number: int, item_bytes: int) -> tuple[int, int]:
        """Byte of the first item of a vector or text and its number of items, which lie inside the buffer."""
        position = self.field(number)
        if position is None:
            return 0, 0
        start = position + unpack(self.buffer, "I", position)
        count = unpack(self.buffer, "I", start)
        if start + 4 + count * item_bytes > len(self.buffer):
            raise BadRecording("count", f"a list claims {count} items of {item_bytes} bytes, beyond its packet")
        return start + 4, count
