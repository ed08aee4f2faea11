"""The text header of Prophesee files, RAW and DAT: lines of `% key value`."""

from __future__ import annotations

import re

from spikinghash.events.content import Content

_LINE = re.compile(rb"%[ \t]?[\t\x20-\x7e]*\r?\n")
_LAST = re.compile(rb"% ?end\s*$")
_HEAD_BYTES = 1 << 16


def percent_header(data: bytes) -> tuple[dict[str, str], int]:
    """Fields of the header by lower-case key, and the byte where it ends: at `% end` or the first other line."""
    fields: dict[str, str] = {}
    position = 0
    while match := _LINE.match(data, position):
        position = match.end()
        if _LAST.match(match[0]):
            break
        key, _, value = match[0][1:].decode("ascii").strip().partition(" ")
        fields.setdefault(key.lower(), value.strip())
    return fields, position


def whole_header(content: Content) -> bytes:
    """The beginning of a content, as far as its header goes at least."""
    size = min(_HEAD_BYTES, content.size)
    while True:
        head = content.read(0, size)
        _, end = percent_header(head)
        # a line that goes on beyond what was read
        cut = head[end : end + 1] == b"%" and b"\n" not in head[end:]
        if size == content.size or not (cut or end == size):
            return head
        size = min(2 * size, content.size)


def sensor_in(fields: dict[str, str]) -> tuple[int, int] | None:
    """(width, height) from `geometry 640x480`, `format EVT3;height=480;width=640` or `width`, `height`; else None."""
    if match := re.fullmatch(r"(\d{1,9})x(\d{1,9})", fields.get("geometry", "")):
        return int(match[1]), int(match[2])
    inline = dict(part.split("=", 1) for part in fields.get("format", "").split(";") if "=" in part)
    for source in (inline, fields):
        sides = [source.get(key, "") for key in ("width", "height")]
        if all(re.fullmatch(r"\d{1,9}", side) for side in sides):
            return int(sides[0]), int(sides[1])
    return None
