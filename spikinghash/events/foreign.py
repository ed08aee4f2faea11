"""Names for content that no reader here accepts, so that a refusal can say what the file is and what to do."""

from __future__ import annotations

import re

import numpy as np

_CONVERT = "convert it to N-MNIST .bin records, or use a version of spikinghash with a reader for it"
_UNPACK = "unpack it and give the recordings inside"
_NOT_EVENTS = "this holds no events; give the recording it belongs to"

#: (pattern at the start of the file, what it is, next step); first match wins.
_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (rb"#!AER-DAT4", "AEDAT 4", _CONVERT),
    (rb"#!AER-DAT3", "AEDAT 3", _CONVERT),
    (rb"#!AER-DAT", "AEDAT 1 or 2", _CONVERT),
    (rb"%PDF-", "a PDF document", _NOT_EVENTS),
    (rb"% (evt|format EVT|[ -~\t\r\n%]*?% (evt|format EVT))", "Prophesee RAW (EVT)", _CONVERT),
    (rb"% ?[ -~]+\r?\n", "Prophesee DAT", _CONVERT),
    (rb"Event Stream", "Event Stream .es", _CONVERT),
    (rb"\x89HDF\r\n\x1a\n", "HDF5", _CONVERT),
    (rb"\x93NUMPY", "a NumPy array", _CONVERT),
    (rb"MATLAB [57]", "a MATLAB file", _CONVERT),
    (rb"#ROSBAG", "a ROS bag", _CONVERT),
    (rb"PAR1", "Parquet", _CONVERT),
    (rb"PK(\x03\x04|\x05\x06)", "a zip archive or .npz", _UNPACK),
    (rb"\x1f\x8b\x08", "gzip", _UNPACK),
    (rb"\x28\xb5\x2f\xfd", "zstd", _UNPACK),
    (rb"\xfd7zXZ\x00", "xz", _UNPACK),
    (rb"BZh[1-9]1AY&SY", "bzip2", _UNPACK),
    (rb"7z\xbc\xaf\x27\x1c", "7-Zip", _UNPACK),
    (rb"(?s).{257}ustar", "a tar archive", _UNPACK),
    (rb"\x89PNG\r\n\x1a\n", "a PNG image", _NOT_EVENTS),
    (rb"\xff\xd8\xff[\xe0-\xef\xdb]", "a JPEG image", _NOT_EVENTS),
    (rb"GIF8[79]a", "a GIF image", _NOT_EVENTS),
    (rb"(?s)RIFF.{4}(AVI |WAVE|WEBP)", "a RIFF file (AVI, WAV, WebP)", _NOT_EVENTS),
    (rb"(?s).{4}ftyp", "an MP4 video", _NOT_EVENTS),
    (rb"SQLite format 3\x00", "a SQLite database", _NOT_EVENTS),
    (rb"\x7fELF", "a program", _NOT_EVENTS),
)
_PATTERNS = tuple((re.compile(pattern), name, step) for pattern, name, step in _MAGIC)
_TEXT = re.compile(rb"[\t\r\n\x20-\x7e]+")
_MIN_TEXT_BYTES = 8


def name_foreign(head: bytes, size: int) -> tuple[str, str] | None:
    """Return (what the content is, next step), or None for content that nothing here recognises.

    `head` is the first part of a file of `size` bytes.
    """
    for pattern, name, step in _PATTERNS:
        if pattern.match(head):
            return name, step
    if len(head) >= _MIN_TEXT_BYTES and _is_text(head):
        return "text", "if it lists events, convert it to N-MNIST .bin records"
    return None


def name_headerless(head: bytes, size: int) -> tuple[str, str] | None:
    """Like `name_foreign`, for guesses weak enough that a plausible N-MNIST file must win over them."""
    words = np.frombuffer(head[: len(head) // 8 * 8], dtype="<u4").reshape(-1, 2)
    times, addresses = words[:, 0].astype(np.int64), words[:, 1]
    if size % 8 == 0 and len(times) > 1 and (np.diff(times) >= 0).all() and int(addresses.max()) < 2**18:
        return "a headerless ATIS .dat", _CONVERT
    return None


def _is_text(head: bytes) -> bool:
    if _TEXT.fullmatch(head):
        return True
    try:
        decoded = head.decode("utf-8")
    except UnicodeDecodeError as error:
        # a character may be cut by the end of the head, nowhere else
        if error.start < len(head) - 3:
            return False
        decoded = head[: error.start].decode("utf-8")
    return all(char.isprintable() or char in "\t\r\n\ufeff" for char in decoded)
