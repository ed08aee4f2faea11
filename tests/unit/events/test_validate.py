import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikinghash.errors import BadRecording
from spikinghash.events.validate import validate


def columns(t, x=None, y=None, p=None):
    t = np.asarray(t)
    zeros = np.zeros(t.size, dtype=np.int64)
    return t, *(zeros if given is None else np.asarray(given) for given in (x, y, p))


def check(*given, sensor=(34, 34)):
    return validate(*given, sensor=sensor, format="test", offset_of=lambda index: 100 + index)


def refusal(*given, sensor=(34, 34)):
    with pytest.raises(BadRecording) as caught:
        check(*given, sensor=sensor)
    return caught.value


def test_good_columns_become_events():
    events = check(np.array([5, 6]), np.array([1, 33]), np.array([0, 2]), np.array([0, 1]))
    assert events.summary() == {
        "format": "test",
        "width": 34,
        "height": 34,
        "events": 2,
        "t_first_us": 5,
        "t_last_us": 6,
        "on": 1,
        "off": 1,
        "sum_x": 34,
        "sum_y": 2,
        "dropped": {},
    }
    types = (events.t.dtype, events.x.dtype, events.y.dtype, events.p.dtype)
    assert types == (np.int64, np.uint16, np.uint16, np.uint8)
    assert not any(column.flags.writeable for column in (events.t, events.x, events.y, events.p))


@pytest.mark.parametrize(
    ("given", "reason", "offset"),
    [
        (columns([1, -1, 3]), "time-negative", 101),
        (columns(np.array([0, 2**63 + 1], dtype=np.uint64)), "time-negative", 101),
        (columns([0, 24 * 3600 * 10**6 + 1]), "time-span", 101),
        (columns([1, 3, 2]), "time-order", 102),
        (columns([0, 1], x=[0, 34]), "coordinate", 101),
        (columns([0, 1], y=[-1, 0]), "coordinate", 100),
        (columns([0, 1], p=[0, 2]), "polarity", 101),
        (columns([0, 1, 2], p=[-1, 1, 0]), "polarity", 102),
        (columns([0, 1], p=np.array([0, 3], dtype=np.uint8)), "polarity", 101),
        (columns(np.array([], dtype=np.int64)), "no-events", None),
        (columns([0.0, 1.0]), "dtype", None),
        (columns([0, 1], x=[0, 1, 2]), "count", None),
        (columns([0, 1], x=[[0], [1]]), "count", None),
    ],
)
def test_bad_columns_are_refused(given, reason, offset):
    error = refusal(*given)
    assert (error.reason, error.offset) == (reason, offset)


@pytest.mark.parametrize("sensor", [(0, 34), (34, 0), (4097, 1), (-1, 5), (2**31, 2**31)])
def test_impossible_sensors_are_refused(sensor):
    assert refusal(*columns([0]), sensor=sensor).reason == "sensor"


def test_polarity_conventions_are_mapped():
    assert check(*columns([0, 1], p=[-1, 1])).p.tolist() == [0, 1]
    assert check(*columns([0, 1], p=[False, True])).p.tolist() == [0, 1]


def test_few_late_events_are_sorted_stably():
    t = np.arange(200) * 10
    t[150] = t[148]
    given = columns(t, x=np.arange(200) % 34)
    before = [column.copy() for column in given]
    events = check(*given)
    assert events.reordered == 1
    assert (np.diff(events.t) >= 0).all()
    # of two equal times the one that came first stays first
    assert events.x[148:152].tolist() == [148 % 34, 150 % 34, 149 % 34, 151 % 34]
    assert all((now == then).all() for now, then in zip(given, before, strict=True))


@pytest.mark.parametrize(("late_us", "fine"), [(1_000, True), (1_001, False)])
def test_lateness_limit(late_us, fine):
    t = np.arange(300) * 5_000
    t[200] = t[199] - late_us
    if fine:
        assert check(*columns(t)).count == 300
    else:
        assert refusal(*columns(t)).reason == "time-order"


@pytest.mark.parametrize(("steps", "fine"), [(2, True), (3, False)])
def test_at_most_one_percent_goes_back(steps, fine):
    t = np.arange(200) * 10
    t[10 : 10 + 20 * steps : 20] -= 15
    if fine:
        assert check(*columns(t)).reordered == steps
    else:
        assert refusal(*columns(t)).reason == "time-order"


def test_small_steps_back_cannot_add_up():
    t = np.arange(1_000) * 2_000
    t[500:503] = t[499] - np.array([600, 1_200, 1_800])
    assert refusal(*columns(t)).reason == "time-order"


@pytest.mark.parametrize(("off", "fine"), [(1, True), (2, False)])
def test_coordinates_off_the_sensor_are_counted(off, fine):
    x = np.zeros(1_000, dtype=np.int64)
    x[:off] = 40
    given = columns(np.arange(1_000), x=x)
    if fine:
        events = check(*given)
        assert (events.count, events.dropped) == (999, {"coordinate": 1})
    else:
        assert refusal(*given).reason == "coordinate"


def test_offset_is_unknown_without_a_reader():
    with pytest.raises(BadRecording) as caught:
        validate(*columns([1, 0]), sensor=(34, 34), format="test")
    assert caught.value.offset is None


integers = st.lists(st.tuples(*[st.integers(-5, 60)] * 3, st.integers(-2, 2)), max_size=30)


@settings(deadline=None)
@given(integers)
def test_anything_gives_valid_events_or_a_refusal(rows):
    given_columns = tuple(np.array([row[i] for row in rows], dtype=np.int64) for i in range(4))
    before = [column.copy() for column in given_columns]
    try:
        events = check(*given_columns)
    except BadRecording:
        return
    finally:
        assert all((now == then).all() for now, then in zip(given_columns, before, strict=True))
    assert (np.diff(events.t) >= 0).all()
    assert int(events.x.max()) < 34
    assert int(events.y.max()) < 34
    assert set(events.p.tolist()) <= {0, 1}
    assert events.count + sum(events.dropped.values()) == len(rows)
