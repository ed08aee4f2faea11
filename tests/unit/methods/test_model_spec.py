"""ModelSpec: plain values, read strictly."""

import json

import pytest
from frame_specs import frame_spec

from spikinghash.data.picture import PictureFrame
from spikinghash.data.sample_spec import FieldSpec
from spikinghash.errors import BadCheckpoint, ConfigError
from spikinghash.frames.framing import Framing
from spikinghash.methods.model_input import ModelInput
from spikinghash.methods.old_spec import spec_of_old
from spikinghash.methods.spec import ModelSpec

IMAGE, TEXT = (ModelInput(FieldSpec("features", (D,), "float16", {"name": "given"})) for D in (12, 7))


def spec(**changes):
    return frame_spec("spikinghash", "Nano", 16, changes.pop("classes", ("a", "b")), 4, 32, 32, (34, 34), **changes)


def json_of(one, **changes):
    """With changes to the description of its input."""
    data = one.to_json()
    return data | {"inputs": {"events": data["inputs"]["events"] | changes}}


@pytest.mark.parametrize(
    "original",
    [
        spec(classes=("ä", "b c")),
        spec(field=PictureFrame(16, 16, resize=False).field()),
        ModelSpec("spikehash", 64, (), {"image": IMAGE, "text": TEXT}, {"steps": 4}),
    ],
    ids=["events", "image", "pairs"],
)
def test_round_trip_through_json(original):
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
    with pytest.raises(BadCheckpoint, match=r"spec\.inputs\.events has missing or unknown keys: depth"):
        ModelSpec.from_json(json_of(spec(), depth=3))


@pytest.mark.parametrize("key", ["height", "width", "count_clip"])
@pytest.mark.parametrize("value", [0, -4, 4.0, "16", None, True, 1 << 40, [16]])
def test_whole_positive_numbers(key, value):
    with pytest.raises(BadCheckpoint, match=rf"spec\.inputs\.events\.{key} must be an integer from 1"):
        ModelSpec.from_json(json_of(spec(), **{key: value}))


def test_features_have_no_height():
    data = ModelSpec("m", 16, (), {"image": IMAGE}).to_json()
    data["inputs"]["image"]["height"] = 1
    with pytest.raises(BadCheckpoint, match=r"spec\.inputs\.image\.height must be 0, not 1"):
        ModelSpec.from_json(data)


@pytest.mark.parametrize("value", [0, -8, 12, 8.0, "8", None, True, 1 << 40])
def test_bits_fill_bytes(value):
    with pytest.raises(BadCheckpoint, match=r"spec\.bits must be a multiple of 8"):
        ModelSpec.from_json(spec().to_json() | {"bits": value})


@pytest.mark.parametrize("key", ["method", "variant"])
@pytest.mark.parametrize("value", [1, None, ["x"]])
def test_texts(key, value):
    with pytest.raises(BadCheckpoint, match=rf"spec\.{key} must be text"):
        ModelSpec.from_json(spec().to_json() | {key: value})


@pytest.mark.parametrize("value", ["ab", [1, 2], None, {"a": 0}])
def test_classes(value):
    with pytest.raises(BadCheckpoint, match=r"spec\.classes"):
        ModelSpec.from_json(spec().to_json() | {"classes": value})


@pytest.mark.parametrize("key", ["inputs", "options"])
@pytest.mark.parametrize("value", [None, [], "x"])
def test_objects(key, value):
    with pytest.raises(BadCheckpoint, match=rf"spec\.{key} must be an object"):
        ModelSpec.from_json(spec().to_json() | {key: value})


def test_no_input():
    with pytest.raises(BadCheckpoint, match=r"spec\.inputs is empty"):
        ModelSpec.from_json(spec().to_json() | {"inputs": {}})


def test_a_description_that_is_not_its_digest():
    with pytest.raises(BadCheckpoint, match="is not what its digest says"):
        ModelSpec.from_json(json_of(spec(), digest="0" * 64))


def test_the_one_input_of_several():
    pairs = ModelSpec("spikehash", 64, (), {"image": IMAGE, "text": TEXT})
    with pytest.raises(ConfigError, match="takes image and text; this works for models of one input"):
        _ = pairs.input


def old(**changes):
    """A description as it was before there were several inputs."""
    meta = Framing(4).meta((34, 34))
    return {
        "method": "spikinghash", "size": "Nano", "bits": 16, "classes": ["a", "b"], "steps": 4, "height": 32,
        "width": 32, "sensor": [34, 34], "count_clip": 8, "surrogate": "atan", "frames_digest": meta.digest,
        "frames": meta.to_json(), "variant": "full",
    } | changes  # fmt: skip


def test_an_old_description_says_the_same():
    assert spec_of_old(old()) == spec()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"frames": "{"}, "does not say how samples are made"),
        ({"frames_digest": "0" * 64}, "is not what its digest says"),
        ({"more": 1}, "unknown keys: more"),
        ({"bits": 12}, "multiple of 8"),
        ({"height": 0}, "height must be"),
    ],
)
def test_an_old_description_that_is_wrong(change, told):
    with pytest.raises(BadCheckpoint, match=told):
        spec_of_old(old(**change))
