from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikinghash.datasets.recording import Recording
from spikinghash.datasets.splits import assign_splits, hold_out
from spikinghash.errors import ConfigError


def recordings(labels, splits=None):
    return [
        Recording(f"{i:04}", Path(f"{i:04}"), label=label, split=splits[i] if splits else None)
        for i, label in enumerate(labels)
    ]


def assign(some, seed=0, val=0.1, test=0.3):
    return assign_splits(some, val_fraction=val, test_fraction=test, seed=seed)


def test_stratified_counts():
    some = recordings(["a"] * 100 + ["b"] * 50)
    splits = assign(some)
    counts = Counter((recording.label, splits[recording.recording_id]) for recording in some)
    assert counts == {
        ("a", "test"): 30,
        ("a", "val"): 7,
        ("a", "train"): 63,
        ("b", "test"): 15,
        ("b", "val"): 4,
        ("b", "train"): 31,
    }


def test_stated_splits_are_kept():
    some = recordings("aaaaaaaaaa", ["train"] * 6 + ["test"] * 4)
    splits = assign(some)
    assert [splits[f"{i:04}"] for i in range(6, 10)] == ["test"] * 4
    assert Counter(splits.values()) == {"train": 5, "val": 1, "test": 4}
    stated = assign(recordings("aaaa", ["train", "train", "val", "test"]))
    assert list(stated.values()) == ["train", "train", "val", "test"]


@settings(deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "c", None]), max_size=40), st.integers(0, 9), st.randoms())
def test_order_does_not_matter(labels, seed, random):
    some = recordings(labels)
    expected = assign(some, seed)
    random.shuffle(some)
    assert assign(some, seed) == expected
    assert set(expected) == {recording.recording_id for recording in some}
    in_train = {recording.label for recording in some if expected[recording.recording_id] == "train"}
    assert in_train == set(labels)


def test_seed_and_purpose_matter():
    labels = {str(i): "a" for i in range(100)}
    draw = hold_out(labels, 0.3, seed=1, purpose="test")
    assert draw == hold_out(labels, 0.3, seed=1, purpose="test")
    assert draw != hold_out(labels, 0.3, seed=2, purpose="test")
    assert draw != hold_out(labels, 0.3, seed=1, purpose="val")


def test_small_classes():
    assert hold_out({"1": "a"}, 0.9, seed=0, purpose="test") == set()
    assert len(hold_out({"1": "a", "2": "a"}, 0.1, seed=0, purpose="test")) == 1
    assert hold_out({"1": "a", "2": "a"}, 0.0, seed=0, purpose="test") == set()


@pytest.mark.parametrize("fraction", [-0.1, 1.0, float("nan")])
def test_bad_fraction(fraction):
    with pytest.raises(ConfigError, match="fraction"):
        hold_out({}, fraction, seed=0, purpose="val")
