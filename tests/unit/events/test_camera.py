import math
from dataclasses import replace

import numpy as np
import pytest

from spikinghash.errors import BadRecording
from spikinghash.events.camera import CameraParams, film

IDEAL = CameraParams(mismatch_sigma=0.0, refractory_us=0, noise_rate_hz=0.0)


def ramp(*levels, height=2, width=3):
    """All pixels go through the same log luminances, one each 10 ms."""
    luminance = np.exp(np.array(levels))[:, None, None] * np.ones((1, height, width))
    return luminance, np.arange(len(levels)) * 10_000


def oracle(log, times, on, off):
    """One pixel, one crossing at a time."""
    memory, found = log[0], []
    for f in range(1, len(log)):
        while log[f] - memory >= on or memory - log[f] >= off:
            rising = log[f] > memory
            memory += on if rising else -off
            share = (memory - log[f - 1]) / (log[f] - log[f - 1])
            found.append((times[f - 1] + math.floor(share * (times[f] - times[f - 1])), int(rising)))
    return found


@pytest.mark.parametrize("delta", [0.1, 0.26, 1.1, -0.6, -1.9])
def test_a_step_gives_one_event_per_threshold(delta):
    clip, times = ramp(-2.0, -2.0 + delta)
    expected = math.floor(abs(delta) / 0.25)
    if expected == 0:
        with pytest.raises(BadRecording, match="no-events"):
            film(clip, times, IDEAL)
        return
    events = film(clip, times, IDEAL)
    assert events.count == 6 * expected
    assert set(events.p.tolist()) == {int(delta > 0)}


def test_crossings_are_interpolated():
    clip, times = ramp(-2.0, -1.0, height=1, width=1)
    assert film(clip, times, replace(IDEAL, on_threshold=0.3)).t.tolist() == [3000, 6000, 9000]


def test_agrees_with_the_oracle():
    rng = np.random.default_rng(1)
    log = np.cumsum(rng.normal(0, 0.4, size=(20, 4, 5)), axis=0) - 2
    log = np.maximum(log, -6)
    times = np.cumsum(rng.integers(1, 5_000, size=20))
    params = replace(IDEAL, on_threshold=0.21, off_threshold=0.33)
    events = film(np.exp(log), times, params)
    ours = list(zip(events.y.tolist(), events.x.tolist(), events.t.tolist(), events.p.tolist(), strict=True))
    theirs = [(y, x, t, p) for y in range(4) for x in range(5) for t, p in oracle(log[:, y, x], times, 0.21, 0.33)]
    assert len(ours) == len(theirs) > 100
    # the camera takes exp and log once more, so a time may be rounded to the next microsecond
    for a, b in zip(sorted(ours), sorted(theirs), strict=True):
        assert a[:2] == b[:2]
        assert abs(a[2] - b[2]) <= 1
        assert a[3] == b[3]


def test_pixels_rest_after_an_event():
    rng = np.random.default_rng(2)
    clip = rng.uniform(0.05, 1, size=(200, 6, 6))
    times = np.arange(200) * 500
    free = film(clip, times, CameraParams(refractory_us=0, noise_rate_hz=50))
    rested = film(clip, times, CameraParams(refractory_us=700, noise_rate_hz=50))
    assert rested.count < free.count
    pixel = rested.y.astype(int) * 6 + rested.x
    for one in range(36):
        assert (np.diff(rested.t[pixel == one]) >= 700).all()


def test_same_arguments_same_events_and_seeds_matter():
    clip, times = ramp(-2, -1, -2, -0.5, height=20, width=20)
    params = CameraParams(noise_rate_hz=100)

    def columns(*arguments):
        events = film(clip, times, *arguments)
        return np.stack([events.t, events.x, events.y, events.p]).tobytes()

    assert columns(params) == columns(params)
    assert columns(params, 1) != columns(params, 2)
    assert columns(params) != columns(replace(params, seed=1))


def test_pixels_belong_to_the_camera_not_to_the_sample():
    clip, times = ramp(-2, -1, height=20, width=20)
    quiet = CameraParams(noise_rate_hz=0, mismatch_sigma=0.05)
    first, second = film(clip, times, quiet, 1), film(clip, times, quiet, 2)
    assert first.t.tolist() == second.t.tolist()
    assert len(set(first.t.tolist())) > 100


def test_ties_are_in_pixel_order():
    clip, times = ramp(-2.0, -1.0, height=3, width=3)
    events = film(clip, times, IDEAL)
    order = np.lexsort((events.p, events.x, events.y, events.t))
    assert order.tolist() == list(range(events.count))


def test_noise_rate():
    clip, times = ramp(-1, -1, height=30, width=30)
    times = times * 100
    events = film(clip, times, replace(IDEAL, noise_rate_hz=5))
    expected = 5 * 900 * 1.0
    assert abs(events.count - expected) < 5 * math.sqrt(expected)
    assert abs(events.on - events.off) < 5 * math.sqrt(expected)


def test_standing_still_after_rounding_gives_nothing_more():
    levels = [-2.0, -2.0 + 0.1 * 3, *[-2.0 + 0.1 * 3] * 5]
    clip, times = ramp(*levels, height=1, width=1)
    events = film(clip, times, replace(IDEAL, on_threshold=0.1))
    assert events.t_last_us <= 10_000
    assert events.count in (2, 3)


def test_input_is_not_changed_and_may_be_black():
    clip = np.zeros((3, 2, 2))
    clip[1] = 1
    clip.flags.writeable = False
    assert film(clip, np.array([0, 10, 20]), IDEAL).on > 0


@pytest.mark.parametrize("times", [[0, 0], [5, 1], [-1, 3], [0, 1, 2], [0]])
def test_bad_times(times):
    with pytest.raises(ValueError, match="frames"):
        film(np.ones((2, 2, 2)), np.array(times), IDEAL)
