"""What a writer puts into a file, its reader gives back, for everything a format can hold."""

import numpy as np
import pytest
from event_writers import WRITERS
from hypothesis import given, settings
from hypothesis import strategies as st

from spikinghash.events.options import ReadOptions
from spikinghash.events.reader import FORMATS

READ = {known.name: known.read for known in FORMATS}
DAY_US = 24 * 3600 * 10**6
EPOCH_US = 1_605_537_493_718_345

#: (largest x, largest y, largest time, whether the clock must start near 0) of each format.
LIMITS = {
    "aedat2": (127, 127, 2**32 - 1),
    "aedat3": (2**15 - 1, 2**15 - 1, 2**62),
    "aedat4": (2**15 - 1, 2**15 - 1, 2**62),
    "evt2": (2047, 2047, 2**34 - 1),
    "evt21": (2047, 2047, 2**34 - 1),
    "evt3": (2047, 2047, 2**24 - 1),
    "es": (2**16 - 1, 2**16 - 1, 10**5),
    "dat": (2**14 - 1, 2**14 - 1, 2**32 - 1),
    "atis-dat": (511, 255, 2**32 - 1),
    "npy": (2**15 - 1, 2**15 - 1, 2**62),
    "npz": (2**15 - 1, 2**15 - 1, 2**62),
    "mat": (2**15 - 1, 2**15 - 1, 2**62),
    "hdf5": (2**15 - 1, 2**15 - 1, 2**62),
    "csv": (2**15 - 1, 2**15 - 1, 2**62),
}

UNSTATED = {
    "aedat2": {"chip": None},
    "aedat3": {"camera": "Unknown"},
    "aedat4": {"sizes": ()},
    "evt2": {"header": b"% evt 2.0\n"},
    "evt21": {"header": b"% format EVT21\n% end\n"},
    "evt3": {"header": b"% evt 3.0\n% end\n"},
    "es": {"sensor": (4096, 4096)},
    "dat": {"header": b"% Version 2\n"},
}


@st.composite
def recordings(draw, max_x, max_y, max_t):
    start = draw(st.integers(0, max(min(max_t - DAY_US, EPOCH_US), 0)))
    span = min(max_t - start, draw(st.sampled_from([200, 10**5, DAY_US])))
    time, side = st.integers(start, start + span), lambda most: st.integers(0, min(most, 4095))
    rows = draw(st.lists(st.tuples(time, side(max_x), side(max_y), st.integers(0, 1)), min_size=1, max_size=40))
    return tuple(np.array(column) for column in zip(*sorted(rows), strict=True))


@pytest.mark.parametrize("name", WRITERS)
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_write_then_read_is_identity(name, data):
    columns = data.draw(recordings(*LIMITS[name]))
    # a header that states a size would not agree with the largest one there is
    events = READ[name](WRITERS[name](*columns, **UNSTATED.get(name, {})), ReadOptions(sensor=(4096, 4096)))
    for ours, given_column in zip((events.t, events.x, events.y, events.p), columns, strict=True):
        np.testing.assert_array_equal(ours, given_column)
    assert (dict(events.dropped), events.reordered) == ({}, 0)
