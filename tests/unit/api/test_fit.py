"""Training in this process: it learns, repeats, and leaves an ordinary model."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_model import recording

from spikinghash import Hasher, frame
from spikinghash.errors import ConfigError
from spikinghash.events.validate import validate
from spikinghash.training.augment import Augmentation
from spikinghash.training.checkpoint import load_model

PAGE = Path(__file__).parents[3] / "docs/python.md"
HOW = {
    "bits": 16,
    "epochs": 8,
    "batch": 8,
    "lr": 3e-3,
    "augmentation": Augmentation(),
    "options": {"alpha": 0.2, "beta": 0.8, "smoothing": 0.0},
}


def clips(n, seed):
    """Which half of the picture is busy: uint8 [n, 4, 2, 16, 16] and names [n]."""
    rng = np.random.default_rng(seed)
    frames = (rng.random((n, 4, 2, 16, 16)) < 0.1).astype(np.uint8)
    for i in range(n):
        half = 8 * (i % 2)
        frames[i, ..., half : half + 8] += 4 * (rng.random((4, 2, 16, 8)) < 0.6).astype(np.uint8)
    return frames, ["left", "right"] * (n // 2)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def fitted():
    epochs = []
    return Hasher.fit(*clips(48, 0), **HOW, watch=lambda record: epochs.append(record.epoch)), epochs


def test_codes_of_new_clips_find_their_class(fitted):
    hasher, epochs = fitted
    assert epochs == list(range(1, 9))
    assert (hasher.bits, hasher.classes) == (16, ("left", "right"))
    known, labels = clips(48, 0)
    asked, wanted = clips(20, 1)
    hits = hasher.search(hasher.encode(asked), hasher.encode(known).with_labels(labels), k=1)
    right = [hit.label == label for hit, label in zip(hits, wanted, strict=True)]
    assert np.mean(right) >= 0.9


def test_a_saved_model_is_an_ordinary_one(fitted, tmp_path):
    hasher, _ = fitted
    digest = hasher.save(tmp_path / "model")
    assert digest == hasher.model == load_model(tmp_path / "model").digest
    again = Hasher.load(tmp_path / "model")
    frames, _ = clips(10, 2)
    assert np.array_equal(again.encode(frames).packed, hasher.encode(frames).packed)
    training = again.encoder.model.card["training"]
    assert training["recipe"]["seed"] == 7
    assert len(training["history"]) == 8
    assert len(training["bit_ones"]) == 16


def test_the_seed_says_which_model_it_is_and_no_generator_of_ours_moves():
    how, data = HOW | {"epochs": 1}, clips(24, 0)
    torch.manual_seed(11)
    np.random.seed(11)
    expected = torch.rand(3), np.random.rand(3)
    torch.manual_seed(11)
    np.random.seed(11)
    models = [Hasher.fit(*data, **how, seed=seed).model for seed in (1, 1, 2)]
    assert models[0] == models[1] != models[2]
    assert torch.equal(torch.rand(3), expected[0])
    assert np.array_equal(np.random.rand(3), expected[1])


def test_recordings_are_framed_as_the_clips_were():
    rng = np.random.default_rng(0)
    t = np.sort(rng.integers(0, 60_000, 4_000))
    some = validate(
        t,
        rng.integers(0, 32, 4_000),
        rng.integers(0, 32, 4_000),
        rng.integers(0, 2, 4_000),
        sensor=(32, 32),
        format="x",
    )
    framed = frame(some, window_us=2_000, downsample=2)
    hasher = Hasher.fit(framed, np.arange(len(framed)) % 2, **HOW | {"epochs": 1})
    codes = hasher.encode(some)
    assert len(codes) == len(framed) > 20
    assert codes.start_us.tolist() == framed.start_us.tolist()
    assert np.array_equal(codes.packed, hasher.encode(framed).packed)
    assert hasher.encoder.model.spec.input.sensor == (32, 32)


def test_numbers_are_classes_in_their_order():
    frames, _ = clips(22, 0)
    hasher = Hasher.fit(frames.astype(np.float32), list(range(0, 110, 10)) * 2, **HOW | {"epochs": 1, "batch": 4})
    assert hasher.classes == tuple(str(n) for n in range(0, 110, 10))
    assert hasher.encoder.model.spec.input.field.dtype == "uint8"


@pytest.mark.parametrize(
    ("frames", "labels", "change", "told"),
    [
        (clips(8, 0)[0], ["a"] * 7, {}, r"labels are \[7\] for 8 clips"),
        (clips(8, 0)[0], ["a"] * 8, {}, "labels name 1 class"),
        (clips(8, 0)[0], ["a", None] * 4, {}, "labels are object; give names or whole numbers"),
        (clips(8, 0)[0][:, :, :1], ["a", "b"] * 4, {}, r"training takes \[N, T, 2, H, W\]"),
        (np.full((8, 4, 2, 16, 16), np.inf), ["a", "b"] * 4, {}, "not finite"),
        (clips(8, 0)[0], ["a", "b"] * 4, {"batch": 32}, "6 training clips are fewer than batch = 32"),
        (clips(8, 0)[0], ["a", "b"] * 4, {"val_fraction": 0.0}, "no clip is left to validate on"),
        (clips(8, 0)[0], ["a", "b"] * 4, {"batch": 4, "size": "Giant"}, "unknown size 'Giant'"),
        (clips(8, 0)[0], ["a", "b"] * 4, {"batch": 4, "bits": 12}, "bits must be a multiple of 8 from 8 to"),
        (clips(8, 0)[0], ["a", "b"] * 4, {"batch": 4, "epochs": 0}, "epochs must be a whole number of at least 1"),
        (clips(8, 0)[0], ["a", "b"] * 4, {"batch": 4, "lr": -1.0}, "lr must be a number over 0"),
        (clips(8, 0)[0][:, :3], ["a", "b"] * 4, {"batch": 4}, "a multiple of 4"),
    ],
)
def test_what_cannot_be_trained_is_told_in_one_line(frames, labels, change, told):
    with pytest.raises(ConfigError, match=told):
        Hasher.fit(frames, labels, **HOW | change)


def test_the_example_of_the_page_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    paths, names = [tmp_path / f"{number}.bin" for number in range(8)], ["up", "down"] * 4
    for number, path in enumerate(paths):
        path.write_bytes(recording(number))
    [block] = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), flags=re.MULTILINE | re.DOTALL)
    said = {"paths": paths, "names": names}
    exec(compile(block, str(PAGE), "exec"), said)
    model = Hasher.load("data/models/mine")
    assert model.classes == ("down", "up")
    # recordings of 300 ms, cut as the clips were
    assert len(model.encode(paths[0])) == len(said["clips"][0]) > 4
