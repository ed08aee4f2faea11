import h5py
import numpy as np
import pytest
from event_writers import hdf5, hdf5_of, structured

from spikinghash.errors import BadRecording
from spikinghash.events import hdf5 as reader
from spikinghash.events.options import ReadOptions

COLUMNS = (np.arange(50) * 7, np.arange(50) % 34, np.arange(50) % 30, np.arange(50) % 2)
T, X, Y, P = COLUMNS


def stored(names=("t", "x", "y", "p"), group="events", extra=None, columns=COLUMNS, **options):
    def fill(file):
        for name, column in zip(names, columns, strict=True):
            file.create_dataset(f"{group}/{name}", data=column, **options)
        if extra is not None:
            extra(file)

    return hdf5_of(fill)


def refusal(data, **options):
    with pytest.raises(BadRecording) as caught:
        reader.read(data, ReadOptions(**options))
    return caught.value.reason


def same(events, t=T):
    for ours, given in zip((events.t, events.x, events.y, events.p), (t, X, Y, P), strict=True):
        np.testing.assert_array_equal(ours, given)


@pytest.mark.parametrize("group", ["events", "raw_events", "/"])
@pytest.mark.parametrize("names", [("t", "x", "y", "p"), ("ts", "xs", "ys", "ps")])
def test_plain_layouts(group, names):
    same(reader.read(stored(names, group)))


def test_dsec_offset():
    def extra(file):
        file["t_offset"] = np.int64(49_599_300_523)
        file["ms_to_idx"] = np.arange(3)

    same(reader.read(stored(extra=extra, columns=(T.astype("u4"), X, Y, P))), t=T + 49_599_300_523)


def test_metavision_layout():
    def fill(file):
        file["CD/events"] = structured(*COLUMNS)
        file["CD/indexes"] = np.zeros(3)
        file.attrs["geometry"] = "320x240"

    events = reader.read(hdf5_of(fill))
    same(events)
    assert (events.width, events.height) == (320, 240)


def test_float_times_are_seconds():
    same(reader.read(stored(columns=(T / 1e6, X, Y, P > 0))))
    same(reader.read(stored(columns=(T / 1e3, X, Y, P))), t=T * 1000)
    same(reader.read(stored(columns=(T / 1e3, X, Y, P)), ReadOptions(time_unit="ms")))
    assert refusal(stored(columns=((T / 1e6).astype("f4"), X, Y, P))) == "dtype"
    assert refusal(stored(columns=(T * np.nan, X, Y, P))) == "dtype"


def test_links_are_refused():
    def linked(file):
        file["events/p"] = h5py.ExternalLink("other.h5", "/p")

    def external(file):
        file.create_dataset("events/p", shape=(50,), dtype="u1", external=[("/etc/hostname", 0, 50)])

    def virtual(file):
        layout = h5py.VirtualLayout(shape=(50,), dtype="u1")
        layout[:] = h5py.VirtualSource("other.h5", "p", shape=(50,))
        file.create_virtual_dataset("events/p", layout)

    def group(file):
        file["CD"] = h5py.ExternalLink("other.h5", "/CD")

    for extra in (linked, external, virtual):
        assert refusal(stored(("t", "x", "y"), columns=COLUMNS[:3], extra=extra)) == "link"
    assert refusal(stored(extra=group)) == "link"


def test_soft_link_loops_end():
    def extra(file):
        file["events/p"] = h5py.SoftLink("/events/p")

    assert refusal(stored(("t", "x", "y"), columns=COLUMNS[:3], extra=extra)) in {"unknown-format", "decoder-crash"}


def test_sizes_are_bounded():
    def huge(file):
        file.create_dataset("events/p", shape=(2**40,), dtype="u1", chunks=(2**10,))

    def chunk(file):
        file.create_dataset("events/p", shape=(2**27,), dtype="u1", chunks=(2**27,))

    assert refusal(stored(("t", "x", "y"), columns=COLUMNS[:3], extra=huge)) == "expansion"
    assert refusal(stored(("t", "x", "y"), columns=COLUMNS[:3], extra=chunk)) == "chunk"


def test_other_refusals():
    def texts(file):
        file.create_dataset("events/p", data=["a"] * 50)

    assert refusal(stored(("t", "x", "y"), columns=COLUMNS[:3], extra=texts)) == "pickle"
    assert refusal(stored(("a", "b", "c", "d"))) == "unknown-format"
    assert refusal(stored(columns=(T[:3], X, Y, P))) == "count"
    data = hdf5(*COLUMNS)
    assert refusal(data[:-10]) in {"truncated", "decoder-crash"}
    assert refusal(data[:20]) in {"truncated", "decoder-crash"}
