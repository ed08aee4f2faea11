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
