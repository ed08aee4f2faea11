"""Framing at the Python door: the frames of a slow loop, and every event accounted for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikinghash import frame
from spikinghash.errors import ConfigError
from spikinghash.events.validate import validate


def events(seed=0, count=500, span_us=10_000):
    rng = np.random.default_rng(seed)
    t = np.sort(rng.integers(0, span_us, count))
    return validate(
        t, rng.integers(0, 8, count), rng.integers(0, 6, count), rng.integers(0, 2, count), sensor=(8, 6), format="made"
    )


def test_a_window_counts_its_events():
    some = events()
    clips = frame(some, steps=4, window_us=2_000)
    slow = np.zeros((len(clips), 4, 2, 6, 8), np.uint8)
    for t, x, y, p in zip(some.t.tolist(), some.x, some.y, some.p, strict=True):
        window, since = divmod(t - some.t_first_us, 2_000)
        if window < len(clips):
            slow[window, since // 500, p, y, x] += 1
    assert np.array_equal(clips.frames, slow)
    assert clips.start_us.tolist() == [some.t_first_us + 2_000 * n for n in range(len(clips))]
    assert (clips.end_us - clips.start_us == 1_999).all()


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 99),
    st.sampled_from(
        [
            {}, {"window_us": 3_000}, {"window_us": 3_000, "stride_us": 1_000}, {"window_us": 500, "stride_us": 2_000},
            {"events_per_clip": 70}, {"window_us": 100, "min_events": 6},
        ]
    ),
    st.sampled_from(["counts", "binary", "voxel"]),
)  # fmt: skip
def test_no_event_is_lost(seed, how, representation):
    some = events(seed)
    clips = frame(some, representation=representation, **how)
    assert clips.events_in == some.count == 500
    assert clips.events_in + clips.repeated == clips.framed + sum(clips.dropped.values())
    total = float(np.abs(clips.frames.astype(np.float64)).sum())
    assert total == pytest.approx(clips.framed, rel=1e-5)
    assert np.array_equal(np.asarray(clips), clips.frames)


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"stride_us": 10}, "stride_us is for windowing 'window'"), ({"steps": 0}, "steps must be a whole number"),
        ({"window_us": 10, "events_per_clip": 10}, "events_per_clip is for windowing 'count'"),
        ({"representation": "sums"}, "unknown representation 'sums'"),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_refused(how, told):
    with pytest.raises(ConfigError, match=told):
        frame(events(), **how)
