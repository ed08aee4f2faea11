"""Whether a file is an archive: one that has an archive's index, whatever its first bytes are.

Recordings without a header begin with any bytes, also with those of an archive: `PK` is an N-MNIST event at x=80, y=75.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import PurePath
from typing import IO, Any

HEAD_BYTES = 512
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
#: How to read a compressed tar, by the first bytes of its compression.
COMPRESSED: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b\x08": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}
_LOCAL = struct.Struct("<4sHHHHHIIIHH")
#: Versions of the format, and methods of compression, that a local header of a zip can name.
_MOST_VERSION, _MOST_METHOD = 63, 99


def may_be_archive(head: bytes) -> bool:
    """Whether the first 512 bytes are worth a look for an archive's index."""
    return head.startswith((*_ZIP, *COMPRESSED)) or head[257:262] == b"ustar"


def is_zip(stream: IO[bytes], head: bytes) -> bool:
    """Whether it is a zip, whole or with its index cut off."""
    return zip_begins(head) or (head.startswith(_ZIP[0]) and zipfile.is_zipfile(stream))


def zip_begins(head: bytes) -> bool:
    """Whether the first bytes are a header of a zip's member, by more than the four that every zip starts with."""
    if head.startswith(_ZIP[1]):
        return len(head) >= 22 and head[4:8] == bytes(4)
    if not head.startswith(_ZIP[0]) or len(head) < _LOCAL.size:
        return False
    _, version, flags, method, _, _, _, _, _, name, _ = _LOCAL.unpack_from(head)
    text = head[_LOCAL.size : _LOCAL.size + name]
    plausible = version & 0xFF <= _MOST_VERSION and method <= _MOST_METHOD and not flags & 0xD780
    return bool(plausible and text) and all(byte >= 0x20 or byte in b"\t\r\n" for byte in text)


def gzip_begins(head: bytes) -> bool:
    """Whether something can be inflated from the first bytes."""
    try:
        return head.startswith(b"\x1f\x8b\x08") and not head[3] & 0xE0 and bool(zlib.decompressobj(31).decompress(head))
    except (zlib.error, IndexError):
        return False


def is_tar(stream: IO[bytes], head: bytes) -> bool:
    """Whether the first block, after decompression, is a header of a tar."""
    opener = opener_of(head)
    if opener is not None:
        with opener(stream, "rb") as raw:
            try:
                head = raw.read(tarfile.BLOCKSIZE)
            except (OSError, EOFError, zlib.error, lzma.LZMAError, MemoryError):
                return False
    if head[257:262] == b"ustar":
        return True
    # tars from before 1988 have no such word, but a checksum; an empty one is blocks of zeros
    return opener is not None and (_checksum_fits(head) or (len(head) == tarfile.BLOCKSIZE and not any(head)))


def opener_of(head: bytes) -> Callable[..., Any] | None:
    """What opens the compression that the first bytes name."""
    return next((opener for magic, opener in COMPRESSED.items() if head.startswith(magic)), None)


def are_columns(names: list[str], archive: str) -> bool:
    """Whether the members of a zip are the arrays of one `.npz` recording, and not recordings of their own."""
    if not names or not all(name.endswith(".npy") and len(PurePath(name).parts) == 1 for name in names):
        return False
    # needs NumPy, which few archives do
    from spikinghash.events.columns import pick_columns

    arrays = {name.removesuffix(".npy"): name for name in names}
    return len(names) == 1 or pick_columns(arrays) is not None or archive.lower().endswith(".npz")


def _checksum_fits(head: bytes) -> bool:
    if len(head) < tarfile.BLOCKSIZE:
        return False
    try:
        stated = int(head[148:156].split(b"\0")[0].strip() or b"-1", 8)
    except ValueError:
        return False
    return stated == sum(head[:148]) + 8 * 0x20 + sum(head[156:])
