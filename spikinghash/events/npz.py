"""NumPy `.npz`: a zip archive of arrays t, x, y, p as SpikingJelly and HARDVS store them, or of one table.

Described in `numpy.savez`. Times are integers in microseconds unless `ReadOptions.time_unit` says otherwise.
"""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

from numpy.typing import NDArray

from spikinghash.errors import BadRecording
from spikinghash.events.columns import events_from, pick_columns
from spikinghash.events.damaged import damaged
from spikinghash.events.events import Events
from spikinghash.events.npy import parse, table_events
from spikinghash.events.options import DEFAULTS, ReadOptions

NAME = "npz"
MAX_RATIO = 200
MAX_OUTPUT_BYTES = 4 * 1024**3
#: Small archives may expand by more than `MAX_RATIO`, up to this.
FREE_BYTES = 1024**2
MAX_MEMBERS = 1_000

_FIRST_MEMBER = re.compile(rb"(?s)PK\x03\x04.{26}[^\x00/]{1,200}?\.npy")


def looks_like(head: bytes, size: int) -> bool:
    """Whether the file is a zip archive whose first member is called `.npy`."""
    return _FIRST_MEMBER.match(head) is not None


def read(data: bytes, options: ReadOptions = DEFAULTS) -> Events:
    """Decode the whole content of a file.

    Raises `BadRecording`: truncated (no zip directory at the end), archive-count, expansion, pickle, dtype, and what
    `validate` refuses.
    """
    with _open(data) as archive:
        members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        if len(members) > MAX_MEMBERS:
            raise BadRecording("archive-count", f"{len(members)} members are more than {MAX_MEMBERS}")
        wanted = pick_columns(members)
        if wanted is not None:
            _check_sizes(list(wanted.values()), len(data))
            return events_from({role: _array(archive, info) for role, info in wanted.items()}, options, format=NAME)
        if len(members) == 1:
            (info,) = members.values()
            _check_sizes([info], len(data))
            return table_events(_array(archive, info), options, format=NAME)
    names = ", ".join(sorted(members))[:100]
    raise BadRecording("unknown-format", f"the arrays {names!r} are not t, x, y, p")


def _open(data: bytes) -> zipfile.ZipFile:
    with damaged("the zip directory"):
        try:
            return zipfile.ZipFile(io.BytesIO(data))
        except zipfile.BadZipFile:
            message = "the zip directory at the end is missing or damaged"
            raise BadRecording("truncated", message, len(data)) from None


def _check_sizes(members: list[zipfile.ZipInfo], size: int) -> None:
    total = sum(info.file_size for info in members)
    if total > min(max(MAX_RATIO * size, FREE_BYTES), MAX_OUTPUT_BYTES):
        raise BadRecording("expansion", f"{size} bytes claim to hold {total} bytes of arrays")


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> NDArray[Any]:
    with damaged(f"the member {info.filename[:60]!r}"), archive.open(info) as file:
        content = file.read(info.file_size + 1)
    return parse(content)
