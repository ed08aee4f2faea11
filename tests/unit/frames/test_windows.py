import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import spikinghash.frames.cut as module
from spikinghash.errors import BadRecording, ConfigError
from spikinghash.events.validate import validate
from spikinghash.frames.coverage import cover
from spikinghash.frames.cut import cut
from spikinghash.frames.framing import Framing, sensor_of
from spikinghash.params import FramesParams


def events_at(*times):
    zeros = np.zeros(len(times), dtype=int)
    return validate(np.array(times), zeros, zeros, zeros, sensor=(8, 6), format="test")


def cuts(events, **options):
    framing = Framing(2, **options)
    one = cut(events, framing, events.t_first_us, events.t_last_us)
    account = cover(events.count, [one])
    return [(w.start_us, w.end_us, w.events) for w in one.kept], account


def test_windows_start_at_the_first_event_and_the_rest_is_counted():
    kept, account = cuts(events_at(100, 101, 109, 110, 125, 131), windowing="window", window_us=10)
    assert kept == [(100, 109, 3), (110, 119, 1), (120, 129, 1)]
    assert account.dropped == {"partial-window": 1}
    assert account.left_out == {"partial-window": 1}
    assert account.repeated == 0


def test_a_window_that_ends_with_the_recording_is_whole():
    kept, account = cuts(events_at(0, 19), windowing="window", window_us=10)
    assert kept == [(0, 9, 1), (10, 19, 1)]
    assert account.left_out == {}


def test_overlap_repeats_and_gaps_drop():
    events = events_at(*range(40))
    kept, account = cuts(events, windowing="window", window_us=20, stride_us=10)
    assert [w[0] for w in kept] == [0, 10, 20]
    assert (account.repeated, account.dropped, account.left_out) == (20, {}, {"partial-window": 1})
    kept, account = cuts(events, windowing="window", window_us=5, stride_us=10)
    assert [w[0] for w in kept] == [0, 10, 20, 30]
    assert (account.repeated, account.dropped) == (0, {"outside-window": 20})


def test_empty_and_thin_windows_are_left_out_by_reason():
    kept, account = cuts(events_at(0, 1, 2, 35, 49), windowing="window", window_us=10, min_events=2)
    assert kept == [(0, 9, 3)]
    assert account.left_out == {"few-events": 4}
    assert account.dropped == {"few-events": 2}


def test_a_recording_shorter_than_a_window_is_one_clip_on_the_windows_scale():
    assert cuts(events_at(5, 7), windowing="window", window_us=1000)[0] == [(5, 1004, 2)]
    assert cuts(events_at(5, 7), windowing="count", events_per_clip=9)[0] == [(5, 7, 2)]


def test_count():
    kept, account = cuts(events_at(0, 0, 0, 0, 5, 9, 9), windowing="count", events_per_clip=2)
    assert kept == [(0, 0, 2), (0, 0, 2), (5, 9, 2)]
    assert account.dropped == {"partial-window": 1}


def test_thin_recordings():
    kept, account = cuts(events_at(0, 9), min_events=3)
    assert kept == []
    assert account.left_out == {"few-events": 1}
    assert account.dropped == {"few-events": 2}


def test_too_many_windows(monkeypatch):
    monkeypatch.setattr(module, "MAX_WINDOWS", 100)
    with pytest.raises(BadRecording, match="101 windows"):
        cuts(events_at(0, 1000), windowing="window", window_us=10)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"windowing": "window"}, "needs window_us"),
        ({"windowing": "count"}, "needs events_per_clip"),
        ({"window_us": 5}, "leave it out"),
        ({"windowing": "window", "window_us": 5, "events_per_clip": 5}, "leave it out"),
        ({"windowing": "count", "events_per_clip": 5, "stride_us": 5}, "leave it out"),
        ({"windowing": "count", "events_per_clip": 5, "min_events": 6}, "min_events = 6"),
        ({"windowing": "window", "window_us": 0}, "window_us must"),
        ({"windowing": "window", "window_us": 5, "stride_us": -1}, "stride_us must"),
        ({"windowing": "frames"}, "unknown windowing"),
        ({"representation": "image"}, "unknown representation"),
        ({"representation": "voxel"}, "voxel is float32"),
        ({"dtype": "float32"}, "cannot be 'float32'"),
        ({"downsample": 0}, "downsample must"),
        ({"min_events": 0}, "min_events must"),
        ({"steps": 1.5}, "steps must"),
    ],
)
def test_what_does_not_fit_together(options, message):
    with pytest.raises(ConfigError, match=message):
        Framing(**({"steps": 2} | options))


ALL = [
    Framing(4),
    Framing(5),
    Framing(4, "uint16"),
    Framing(4, representation="binary"),
    Framing(4, "float32", "voxel"),
    Framing(4, windowing="window", window_us=10),
    Framing(4, windowing="window", window_us=10, stride_us=5),
    Framing(4, windowing="window", window_us=11),
    Framing(4, windowing="count", events_per_clip=10),
    Framing(4, windowing="count", events_per_clip=10, min_events=2),
    Framing(4, downsample=4),
]


def test_the_digest_changes_with_everything_that_shapes_a_clip():
    metas = [framing.meta((34, 30)) for framing in ALL]
    metas += [ALL[0].meta((34, 31)), ALL[0].meta((34, 30), {"flip_y": True}), ALL[-1].meta((33, 30))]
    assert len({meta.digest for meta in metas}) == len(metas)
    assert ALL[0].meta((34, 30)).config == {"binning": "recording-span"}
    # one that overlaps by its whole length is the same, said or not
    said = Framing(4, windowing="window", window_us=10, stride_us=10)
    assert said.meta((34, 30)).digest == ALL[5].meta((34, 30)).digest


@pytest.mark.parametrize("framing", ALL)
def test_a_store_tells_how_it_was_framed(framing):
    meta = framing.meta((34, 30))
    assert Framing.of(type(meta).from_json(meta.to_json())) == framing
    assert sensor_of(meta) == (34, 30)


def test_a_description_of_another_program():
    meta = ALL[0].meta((3, 3))
    for config in ({}, {"binning": "log"}, {"binning": "recording-span", "blur": 2}):
        with pytest.raises(ConfigError, match="cannot be made"):
            Framing.of(type(meta)(4, 3, 3, "uint8", config))


@settings(deadline=None, max_examples=300)
@given(
    st.fixed_dictionaries(
        {
            "steps": st.just(4),
            "representation": st.sampled_from(["counts", "binary", "voxel"]),
            "dtype": st.sampled_from(["uint8", "uint16", "float32"]),
            "windowing": st.sampled_from(["recording", "window", "count"]),
            "window_us": st.sampled_from([None, 10]),
            "stride_us": st.sampled_from([None, 5]),
            "events_per_clip": st.sampled_from([None, 7]),
            "min_events": st.sampled_from([1, 8]),
            "downsample": st.sampled_from([1, 4]),
        }
    )
)
def test_the_parameters_accept_what_framing_accepts(options):
    def accepted(make):
        try:
            make()
        except (ConfigError, ValidationError):
            return False
        return True

    rest = {"store": "parquet", "val_fraction": 0.1, "test_fraction": 0.2, "seed": 0}
    assert accepted(lambda: Framing(**options)) == accepted(lambda: FramesParams(**options, **rest))
