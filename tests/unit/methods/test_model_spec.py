"""ModelSpec: plain values, read strictly."""

import json

import pytest

from spikinghash.errors import BadCheckpoint
from spikinghash.methods.spec import ModelSpec


def spec(**changes):
    values = {
        "method": "spikinghash", "size": "Nano", "bits": 16, "classes": ("a", "b"), "steps": 4, "height": 32,
        "width": 32, "sensor": (34, 34), "count_clip": 8, "surrogate": "sigmoid", "frames_digest": "00",
    }  # fmt: skip
    return ModelSpec(**(values | changes))


def test_round_trip_through_json():
    original = spec(classes=("ä", "b c"), sensor=(240, 180))
    assert ModelSpec.from_json(json.loads(json.dumps(original.to_json()))) == original


@pytest.mark.parametrize("key", list(spec().to_json()))
def test_a_missing_key(key):
    data = spec().to_json()
    del data[key]
    with pytest.raises(BadCheckpoint, match=key):
        ModelSpec.from_json(data)


def test_an_unknown_key():
    with pytest.raises(BadCheckpoint, match="unknown keys: sizee"):
        ModelSpec.from_json(spec().to_json() | {"sizee": "S"})


@pytest.mark.parametrize("key", ["bits", "steps", "height", "width", "count_clip"])
@pytest.mark.parametrize("value", [0, -4, 4.0, "16", None, True, 1 << 40, [16]])
def test_whole_positive_numbers(key, value):
    with pytest.raises(BadCheckpoint, match=rf"spec\.{key} must be"):
        ModelSpec.from_json(spec().to_json() | {key: value})


def test_bits_fill_bytes():
    with pytest.raises(BadCheckpoint, match=r"spec\.bits"):
        ModelSpec.from_json(spec().to_json() | {"bits": 12})


@pytest.mark.parametrize("key", ["method", "size", "surrogate", "frames_digest"])
@pytest.mark.parametrize("value", [1, None, ["x"]])
def test_texts(key, value):
    with pytest.raises(BadCheckpoint, match=rf"spec\.{key} must be text"):
        ModelSpec.from_json(spec().to_json() | {key: value})


@pytest.mark.parametrize("value", [[], "ab", [1, 2], None, {"a": 0}])
def test_classes(value):
    with pytest.raises(BadCheckpoint, match=r"spec\.classes"):
        ModelSpec.from_json(spec().to_json() | {"classes": value})


@pytest.mark.parametrize("value", [[34], [34, 34, 1], [0, 34], [34.0, 34], "34", None, [True, 34]])
def test_sensor(value):
    with pytest.raises(BadCheckpoint, match=r"spec\.sensor"):
        ModelSpec.from_json(spec().to_json() | {"sensor": value})
