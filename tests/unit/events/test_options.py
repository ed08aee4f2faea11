from pathlib import Path

import numpy as np
import pytest
from event_writers import aedat2, npz

from spikinghash.errors import ConfigError
from spikinghash.events.options import ReadOptions
from spikinghash.events.reader import decode, read_recording
from spikinghash.events.source import Source

COLUMNS = (np.array([1, 2, 5]), np.array([0, 3, 5]), np.array([0, 1, 2]), np.array([1, 0, 1]))


def read(data=None, sensor=None, **options):
    return decode(Source(Path("x"), data or npz(*COLUMNS)), sensor=sensor, options=ReadOptions(**options))


@pytest.mark.parametrize(
    ("options", "x", "y", "p", "size"),
    [
        ({}, [0, 3, 5], [0, 1, 2], [1, 0, 1], (8, 4)),
        ({"flip_x": True}, [7, 4, 2], [0, 1, 2], [1, 0, 1], (8, 4)),
        ({"flip_y": True}, [0, 3, 5], [3, 2, 1], [1, 0, 1], (8, 4)),
        ({"invert_polarity": True}, [0, 3, 5], [0, 1, 2], [0, 1, 0], (8, 4)),
        ({"transpose": True, "sensor": (4, 8)}, [0, 1, 2], [0, 3, 5], [1, 0, 1], (4, 8)),
        ({"transpose": True, "flip_x": True, "sensor": (4, 8)}, [0, 1, 2], [7, 4, 2], [1, 0, 1], (4, 8)),
    ],
)
def test_orientation(options, x, y, p, size):
    events = read(**({"sensor": (8, 4)} | options))
    assert (events.x.tolist(), events.y.tolist(), events.p.tolist()) == (x, y, p)
    assert (events.width, events.height) == size
    assert events.t.tolist() == [1, 2, 5]
    assert not any(column.flags.writeable for column in (events.t, events.x, events.y, events.p))
    assert (events.x.dtype, events.y.dtype, events.p.dtype) == (np.uint16, np.uint16, np.uint8)


@pytest.mark.parametrize("name", ["flip_x", "flip_y", "transpose", "invert_polarity"])
def test_doing_it_twice_is_doing_nothing(name):
    from spikinghash.events.orient import orient

    options = ReadOptions(**{name: True})
    events = read(sensor=(8, 4))
    again = orient(orient(events, options), options)
    assert again.summary() == events.summary()
    assert (again.x == events.x).all()


def test_cifar10_dvs_as_spikingjelly_shows_it():
    # SpikingJelly: x = 127 - (bits 8-14), y = 127 - (bits 1-7), p = 1 - bit 0
    events = read(aedat2(*COLUMNS), flip_x=True, flip_y=True, transpose=True)
    assert events.x.tolist() == [127, 126, 125]
    assert events.y.tolist() == [127, 124, 122]
    assert events.p.tolist() == [1, 0, 1]


def test_sensor_argument_wins_over_options(tmp_path):
    (tmp_path / "a").write_bytes(npz(*COLUMNS))
    options = ReadOptions(sensor=(10, 10))
    assert read_recording(tmp_path / "a", options=options).width == 10
    assert read_recording(tmp_path / "a", options=options, sensor=(20, 20)).width == 20


@pytest.mark.parametrize(("unit", "factor"), [("us", 1), ("ms", 1_000), ("s", 1_000_000)])
def test_time_unit(unit, factor):
    assert read(time_unit=unit).t.tolist() == [factor, 2 * factor, 5 * factor]


def test_nanoseconds_become_whole_microseconds():
    assert read(time_unit="ns").t.tolist() == [0, 0, 0]


@pytest.mark.parametrize("wrong", [{"layout": "davis"}, {"time_unit": "h"}])
def test_unknown_names_are_refused(wrong):
    with pytest.raises(ConfigError, match="known are"):
        ReadOptions(**wrong)
