"""Names for content that no reader here accepts, so that a refusal can say what the file is and what to do."""

from __future__ import annotations

import re
from collections.abc import Callable

from spikinghash.events.archive_kind import gzip_begins, zip_begins

_CONVERT = "convert it to a format with a reader, for example AEDAT 4, EVT 3 or .npz with t, x, y, p"
_UNPACK = "unpack it and give the recordings inside"
_NOT_EVENTS = "this holds no events; give the recording it belongs to"

#: (pattern at the start of the file, what it is, next step); first match wins.
_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (rb"#!AER-DAT", "AEDAT of another version", _CONVERT),
    (rb"%PDF-", "a PDF document", _NOT_EVENTS),
    (rb"% (evt|format EVT|[ -~\t\r\n%]*?% (evt|format EVT))", "Prophesee RAW of another encoding", _CONVERT),
    (rb"MATLAB \d", "a MATLAB file", _CONVERT),
    (rb"#ROSBAG", "a ROS bag", _CONVERT),
    (rb"PAR1", "Parquet", _CONVERT),
    (rb"PK(\x03\x04|\x05\x06)", "a zip archive", _UNPACK),
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
#: What begins as recordings without a header may begin too, by the further bytes that it must have.
_MORE: dict[str, Callable[[bytes], bool]] = {"a zip archive": zip_begins, "gzip": gzip_begins}
_TEXT = re.compile(rb"[\t\r\n\x20-\x7e]+")
_MIN_TEXT_BYTES = 8


def name_foreign(head: bytes, size: int) -> tuple[str, str] | None:
    """Return (what the content is, next step), or None for content that nothing here recognises.

    `head` is the first part of a file of `size` bytes.
    """
    for pattern, name, step in _PATTERNS:
        if pattern.match(head) and _MORE.get(name, _nothing_more)(head):
            return name, step
    if len(head) >= _MIN_TEXT_BYTES and _is_text(head):
        return "text", "if it lists events, its first line must name the columns t, x, y, p"
    return None


def _nothing_more(head: bytes) -> bool:
    return True


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
