"""HDF5 in the layouts of DSEC, of Metavision and plain ones, through h5py.

DSEC (`dsec.ifi.uzh.ch`): group `events` with t, x, y, p and a `t_offset` in microseconds to be added. Metavision
("HDF5 event file format"): compound data set `CD/events`, sensor in the attribute `geometry`. Plain: t, x, y, p (or ts,
xs, ys, ps) in `events`, `raw_events` or at the top. Integer times are microseconds, float64 times are seconds (as in
event_vision_library and rpg_e2vid), unless `ReadOptions.time_unit` says otherwise.
"""

from __future__ import annotations

import io
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikinghash.errors import BadRecording
from spikinghash.events.columns import events_from, pick_columns
from spikinghash.events.damaged import damaged
from spikinghash.events.events import Events
from spikinghash.events.npz import FREE_BYTES, MAX_OUTPUT_BYTES, MAX_RATIO
from spikinghash.events.options import DEFAULTS, ReadOptions
from spikinghash.events.percent_header import sensor_in

if TYPE_CHECKING:
    import h5py

NAME = "hdf5"
MAGIC = b"\x89HDF\r\n\x1a\n"
MAX_CHUNK_BYTES = 64 * 1024**2
#: Where events may stand, in this order; the last is the top of the file.
PLACES = (("CD", "events"), ("events",), ("raw_events",), ())


def looks_like(head: bytes, size: int) -> bool:
    """Whether the file starts with the HDF5 signature."""
    return head.startswith(MAGIC)


def read(data: bytes, options: ReadOptions = DEFAULTS) -> Events:
    """Decode the whole content of a file.

    Raises `BadRecording`: truncated, link (data outside of this file), chunk (over 64 MiB), expansion, unknown-format
    (no event data, or a compression that needs an extra package), dtype, and what `validate` refuses.
    """
    return read_as(NAME, data, options)


def read_as(format: str, data: bytes, options: ReadOptions) -> Events:
    """As `read`, for MATLAB 7.3 files too, which are HDF5 after 512 bytes."""
    import h5py

    if len(data) < len(MAGIC):
        raise BadRecording("truncated", "the file ends inside its signature", len(data))
    with damaged("the HDF5 structure"), h5py.File(io.BytesIO(data), "r") as file:
        columns = _find(file)
        if columns is None:
            raise BadRecording("unknown-format", "no t, x, y, p in CD/events, events, raw_events or at the top")
        arrays = _load(columns, len(data))
        offset_us, sensor = _time_offset(file), _sensor(file)
    unit = "s" if arrays["t"].dtype.kind == "f" else "us"
    return events_from(arrays, options, format=format, sensor=sensor, time_unit=unit, offset_us=offset_us)


def _find(file: h5py.File) -> dict[str, Any] | None:
    """The four columns as data sets, or as (compound data set, field)."""
    import h5py

    for place in PLACES:
        here: Any = file
        for name in place:
            here = _member(here, name) if isinstance(here, h5py.Group) else None
        if isinstance(here, h5py.Dataset) and here.dtype.names is not None:
            found = pick_columns({name: (here, name) for name in here.dtype.names})
        elif isinstance(here, h5py.Group):
            found = pick_columns({name: _member(here, name) for name in here})
        else:
            found = None
        if found is not None and all(column is not None for column in found.values()):
            return found
    return None


def _member(group: h5py.Group, name: str) -> Any:
    """A member of a group, None if there is none; links to other files are refused."""
    import h5py

    link = group.get(name, getlink=True)
    if isinstance(link, h5py.ExternalLink):
        raise BadRecording("link", f"{name!r} links to another file; give one file with all its data")
    return None if link is None else group.get(name)


def _load(columns: dict[str, Any], size: int) -> dict[str, NDArray[Any]]:
    import h5py

    arrays: dict[str, NDArray[Any]] = {}
    whole: dict[str, NDArray[Any]] = {}
    room = min(max(MAX_RATIO * size, FREE_BYTES), MAX_OUTPUT_BYTES)
    for role, column in columns.items():
        data, field = column if isinstance(column, tuple) else (column, None)
        if not isinstance(data, h5py.Dataset):
            raise BadRecording("dtype", f"column {role} is no data set")
        if data.name not in whole:
            room -= _check_storage(data, room)
            whole[data.name] = np.asarray(data[()])
        arrays[role] = whole[data.name] if field is None else whole[data.name][field]
    return arrays


def _check_storage(data: h5py.Dataset, room: int) -> int:
    """Bytes the data set will take; refused before anything is allocated."""
    if data.external or data.is_virtual:
        raise BadRecording("link", f"{data.name!r} keeps its data in another file")
    if data.dtype.hasobject:
        raise BadRecording("pickle", f"{data.name!r} holds objects or texts of variable length")
    if data.chunks is not None and int(np.prod(data.chunks, dtype=object)) * data.dtype.itemsize > MAX_CHUNK_BYTES:
        raise BadRecording("chunk", f"{data.name!r} is stored in chunks of more than 64 MiB")
    if data.nbytes > room:
        raise BadRecording("expansion", f"{data.name!r} claims {data.nbytes} bytes, more than the file can hold")
    _check_filters(data)
    return int(data.nbytes)


def _check_filters(data: h5py.Dataset) -> None:
    from h5py import h5z

    plist = data.id.get_create_plist()
    filters = [plist.get_filter(i)[0] for i in range(plist.get_nfilters())]
    missing = [number for number in filters if not h5z.filter_avail(number)]
    if missing:
        with suppress(ImportError):
            import hdf5plugin  # noqa: F401 importing it registers its filters
        missing = [number for number in missing if not h5z.filter_avail(number)]
    if missing:
        step = "install hdf5plugin or rewrite the file with gzip"
        raise BadRecording("unknown-format", f"{data.name!r} needs the HDF5 filter {missing[0]}; {step}")


def _time_offset(file: h5py.File) -> int:
    """DSEC's `t_offset`, 0 in other files."""
    import h5py

    offset = _member(file, "t_offset")
    if not isinstance(offset, h5py.Dataset) or offset.size != 1 or offset.dtype.kind not in "iu":
        return 0
    return int(np.asarray(offset[()]).reshape(-1)[0])


def _sensor(file: h5py.File) -> tuple[int, int] | None:
    """(width, height) from the attributes `geometry` "640x480" or `width`, `height`; None where they are missing."""
    fields = {}
    for name in ("geometry", "width", "height"):
        value = file.attrs.get(name)
        if value is not None:
            fields[name] = value.decode("latin-1") if isinstance(value, bytes) else str(value)
    return sensor_in(fields)
