"""New recordings are framed as the model's training clips were: windows, downsampling, turned pictures."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from frame_specs import frame_spec

from spikinghash.codes.frame_recording import frame_recording
from spikinghash.data.sample_spec import FieldSpec
from spikinghash.errors import BadCheckpoint, BadRecording
from spikinghash.events import nmnist
from spikinghash.events.reader import decode
from spikinghash.events.source import Source
from spikinghash.events.validate import validate
from spikinghash.frames.framing import Framing


def spec(framing, sensor=(34, 34), reading=None):
    meta = framing.meta(sensor, reading)
    return frame_spec(
        "spikinghash", "Nano", 64, ("a",), framing.steps, 32, 32, sensor, 8, "atan", meta.to_json()
    )  # fmt: skip


def recording(count=600, seed=0):
    rng = np.random.default_rng(seed)
    t = np.sort(rng.integers(0, 300_000, count))
    x, y, p = rng.integers(0, 34, count), rng.integers(0, 34, count), rng.integers(0, 2, count)
    return Source(Path("clip.bin"), nmnist.to_bytes(validate(t, x, y, p, sensor=(34, 34), format="nmnist")))


def test_a_recording_is_one_clip_named_by_its_contents():
    source = recording()
    (clip,) = frame_recording("inbox/clip.bin", source, spec(Framing(4)), decode)
    assert clip.clip.clip_id == f"{source.sha256}@{clip.clip.start_us}-{clip.clip.end_us}"
    assert clip.clip.recording == "inbox/clip.bin"
    assert clip.frames.shape == (4, 2, 34, 34)
    assert clip.frames.sum() == clip.events == 600


def test_windows_become_clips_of_their_own():
    clips = list(frame_recording("r", recording(), spec(Framing(4, windowing="window", window_us=50_000)), decode))
    assert len(clips) == 5  # the sixth would be cut short by the end of the recording
    assert len({c.clip.clip_id for c in clips}) == len(clips)
    assert sum(int(c.frames.sum()) for c in clips) <= 600


def test_downsampling_keeps_the_events():
    (clip,) = frame_recording("r", recording(), spec(Framing(4, downsample=2)), decode)
    assert clip.frames.shape == (4, 2, 17, 17)
    assert clip.frames.sum() == 600


def test_the_picture_is_turned_as_in_training():
    (plain,) = frame_recording("r", recording(), spec(Framing(4)), decode)
    (turned,) = frame_recording("r", recording(), spec(Framing(4), reading={"flip_x": True}), decode)
    assert np.array_equal(turned.frames, plain.frames[..., ::-1])


def test_too_few_events_are_refused():
    with pytest.raises(BadRecording, match="no-events"):
        frame_recording("r", recording(5), spec(Framing(4, min_events=10)), decode)


def test_a_model_that_does_not_say_how_frames_are_made_is_refused():
    for made_by in ({}, {"steps": 4}):
        one = replace(spec(Framing(4)).input, field=FieldSpec("events", (4, 2, 34, 34), "uint8", made_by))
        with pytest.raises(BadCheckpoint, match="does not say how samples are made"):
            frame_recording("r", recording(), replace(spec(Framing(4)), inputs={"events": one}), decode)
