"""What every front end promises. A new one joins by a line in `MADE`."""

import json

import numpy as np
import pytest
from image_files import encoded, picture
from random_weights import write_clip, write_lite0, write_minilm

from spikinghash.errors import BadRecording, ConfigError
from spikinghash.front_ends.table import FRONT_ENDS, build, rebuild

TEXTS = ["a dog runs", "a Dog, a cat!", "the sea at night", "", "zzz", "a dog's bowl and 3 cats"] * 3
PICTURES = [encoded(picture(i, 24), "JPEG" if i % 2 else "PNG") for i in range(9)]
VECTORS = [np.random.default_rng(i).normal(size=5).astype((np.float16, np.float32)[i % 2]) for i in range(9)]
RAW = {"text": TEXTS, "picture": PICTURES, "feature": VECTORS}
#: Options of a small one for each, from a folder with their files.
MADE = {
    "given": lambda folder: {},
    "bag_of_words": lambda folder: {"words": 6},
    "picture": lambda folder: {"size": [10, 8]},
    "pixels": lambda folder: {"side": 16},
    "efficientnet_lite0": lambda folder: {"weights": str(folder / "efficientnet_lite0.safetensors")},
    "minilm": lambda folder: {"folder": str(folder)},
    "clip_picture": lambda folder: {"folder": str(folder)},
    "clip_text": lambda folder: {"folder": str(folder)},
}


def test_every_front_end_is_tested():
    assert set(MADE) == set(FRONT_ENDS)


def place(name, folder):
    """Where the files of a front end lie."""
    return folder / "clip" if name.startswith("clip") else folder


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    write_lite0(folder / "efficientnet_lite0.safetensors")
    write_minilm(folder)
    write_clip(folder / "clip")
    return folder


@pytest.fixture(params=MADE)
def front_end(request, files):
    if request.param in ("minilm", "clip_text"):
        pytest.importorskip("tokenizers", reason="the extra [text] is not installed")
    files = place(request.param, files)
    made = build(request.param, MADE[request.param](files))
    return made.fit(iter(RAW[made.reads]))


def test_features_are_finite_numbers_of_one_width(front_end):
    found = front_end(RAW[front_end.reads])
    assert len(found) == len(RAW[front_end.reads])
    assert np.isfinite(found).all()
    if front_end.name == "picture":
        assert (found.shape[1:], found.dtype) == ((3, 8, 10), np.uint8)
    else:
        assert (found.ndim, found.dtype) == (2, np.float32)
    assert front_end([]).shape == (0, *found.shape[1:])


def test_one_input_does_not_change_another(front_end):
    raw = RAW[front_end.reads]
    whole = front_end(raw)
    assert np.array_equal(np.concatenate([front_end([one]) for one in raw]), whole)
    assert np.array_equal(front_end(raw[::-1])[::-1], whole)
    assert np.array_equal(np.concatenate([front_end(raw[:4]), front_end(raw[4:])]), whole)


def test_its_description_is_enough_to_make_it_again(front_end, files):
    described = json.loads(json.dumps(front_end.describe()))
    assert described == front_end.describe()
    again = rebuild(described, place(front_end.name, files))
    assert np.array_equal(again(RAW[front_end.reads]), front_end(RAW[front_end.reads]))
    assert again.describe() == described
    # what a store says beside it does not matter
    assert rebuild(described | {"captions": [0]}, place(front_end.name, files)).describe() == described


def test_an_edited_description_is_refused(front_end, files):
    described = front_end.describe()
    assert {"name", "version", "digest"} <= set(described)
    for changes in (
        {"digest": "0" * 64},
        {"name": "nobody"},
        *({key: "nonsense"} for key in described if key != "name"),
    ):
        with pytest.raises(ConfigError):
            rebuild(described | changes, place(front_end.name, files))
    for key in set(described) - {"version"}:
        with pytest.raises(ConfigError):
            rebuild({name: value for name, value in described.items() if name != key}, place(front_end.name, files))


def test_other_input_is_refused(front_end):
    for kind, raw in RAW.items():
        if kind != front_end.reads:
            with pytest.raises((ConfigError, BadRecording)):
                front_end(raw[:1])


def test_unknown_options_are_refused(front_end):
    with pytest.raises(ConfigError, match="nonsense"):
        build(front_end.name, {"nonsense": 1})
    with pytest.raises(ConfigError, match="no front end"):
        build("nobody")


def test_damage_is_refused(front_end):
    if front_end.reads == "picture":
        with pytest.raises(BadRecording):
            front_end([PICTURES[0], PICTURES[1][:60]])
