"""The oddities that `inspect` points out."""

import numpy as np
import pytest

from spikinghash.events.problems import problems
from spikinghash.events.validate import validate


def recording(change=None, count=4000):
    rng = np.random.default_rng(0)
    columns = {
        "t": np.sort(rng.integers(0, 500_000, count)),
        "x": rng.integers(0, 40, count),
        "y": rng.integers(0, 30, count),
        "p": rng.integers(0, 2, count),
    }
    if change:
        change(columns)
    return validate(columns["t"], columns["x"], columns["y"], columns["p"], sensor=(40, 30), format="test")


def test_an_ordinary_recording_has_no_problems():
    assert problems(recording()) == []


def hot(c):
    c["x"][:400], c["y"][:400] = 7, 3


def silent(c):
    c["t"][2000:] += 5_000_000


def one_sided(c):
    c["p"][:] = 1


def instant(c):
    c["t"][:] = 9


def outside(c):
    c["x"][:3] = 99


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (hot, "pixel x=7 y=3 has 10% of all events"),
        (silent, "a silence of 5.0 s"),
        (one_sided, "100% of the events are ON"),
        (instant, "all events have the same time"),
        (outside, "3 events dropped: coordinate"),
    ],
)
def test_each_oddity_is_one_sentence(change, words):
    found = problems(recording(change))
    assert len(found) == 1
    assert words in found[0]


def stray(side, at, count=3000, strays=1):
    rng = np.random.default_rng(0)
    t = np.sort(rng.integers(0, 90_000, count))
    x, y = rng.integers(0, 34, count), rng.integers(0, 34, count)
    y[count // 2 : count // 2 + strays] = at
    return validate(t, x, y, rng.integers(0, 2, count), sensor=(34, side), format="test")


def test_a_sensor_that_is_large_for_a_few_events_alone_is_told():
    """One event at y = 3014 makes a sensor of 34x3015 where none is stated."""
    (said,) = problems(stray(3015, 3014))
    assert "1 of 3000 events lie at y" in said
    assert "34x3015" in said
    assert problems(stray(3015, 3014, strays=3)) != []
    # a stated sensor that is used in one corner, a border that is a little further out, several events out there
    assert problems(stray(720, 500)) == []
    assert problems(stray(60, 59)) == []
    assert problems(stray(3015, 3014, strays=40)) == []


def test_an_event_beyond_any_sensor_is_refused_with_its_place():
    from spikinghash.errors import BadRecording
    from spikinghash.events.validate import smallest_sensor

    x, y = np.zeros(3000, np.uint16), np.zeros(3000, np.uint16)
    y[1500] = 33014
    with pytest.raises(BadRecording, match="event 1500 lies at x=0, y=33014") as caught:
        smallest_sensor(x, y)
    assert caught.value.reason == "sensor"
