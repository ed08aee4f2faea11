import json
import subprocess
import sys

import numpy as np
import pytest
from image_files import encoded, picture

from spikinghash.data.open_cache import open_cache
from spikinghash.data.store import SampleStore
from spikinghash.errors import ConfigError
from spikinghash.front_ends.bag_of_words import BagOfWords
from spikinghash.front_ends.featurise import Use, featurise
from spikinghash.front_ends.given import Given
from spikinghash.front_ends.picture import Picture
from spikinghash.front_ends.pixels import Pixels
from spikinghash.front_ends.table import rebuild
from spikinghash.pairs.pair import Pair
from spikinghash.pairs.pair_file import PairFile, PairWriter
from spikinghash.schema import SPLITS

COUNT = 150


def pair(i):
    """Every fifth has no picture, every seventh no text."""
    split = ("train", "test", "database")[i % 3]
    image = None if i % 5 == 0 else encoded(picture(i, 8))
    feature = None if image is None else np.full(4, i, np.float16)
    text = () if i % 7 == 0 else (f"a dog {split}", f"number {i}", "a third one")
    return Pair(f"p{i}", f"g{i // 2}", split, ("x",) * (i % 2), image, feature, text, origin=f"row {i}")


@pytest.fixture
def pairs(tmp_path):
    with PairWriter(tmp_path / "pairs", {"importer": "made up"}) as writer:
        for i in range(COUNT):
            writer.add(pair(i))
    return PairFile.open(tmp_path / "pairs")


@pytest.mark.parametrize("kind", ["parquet", "hdf5"])
def test_a_store_has_the_features_of_every_pair(pairs, tmp_path, kind):
    uses = {"image": Use(Given()), "text": Use(BagOfWords(8), captions=(0, 1))}
    ledger = featurise(pairs, uses, tmp_path / "out", store=kind)
    store = SampleStore.open(tmp_path / "out")
    whole = [pair(i) for i in range(COUNT) if i % 35]
    assert [row.sample_id for row in store.rows(None)] == [one.pair_id for one in whole]
    for row, one in zip(store.rows(None), whole, strict=True):
        assert (row.group, row.labels, row.split, row.origin, row.sha256) == (
            one.group, one.labels, one.split, one.origin, one.sha256,
        )  # fmt: skip
    image, rows = store.load(None, "image")
    assert [row.sample_id for row in rows] == [f"p{i}" for i in range(COUNT) if i % 5]
    assert np.array_equal(image, [[i] * 4 for i in range(COUNT) if i % 5])
    text, rows = store.load(None, "text")
    made_by = dict(store.spec.fields["text"].made_by)
    assert made_by["captions"] == [0, 1]
    front_end = rebuild(made_by, tmp_path)
    assert np.array_equal(text, front_end([" ".join(pair(int(row.sample_id[1:])).text[:2]) for row in rows]))
    assert ledger.left_out == ["p0", "p35", "p70", "p105", "p140"]
    assert ledger.lacking == {"image": 30 - 5, "text": 22 - 5}
    content = json.loads((tmp_path / "out/ledger.json").read_text())
    assert content["found"] == COUNT == content["accepted"] + len(content["left_out"])


def test_words_are_learned_from_training_pairs_alone(pairs, tmp_path):
    featurise(pairs, {"text": Use(BagOfWords(100))}, tmp_path / "out")
    words = SampleStore.open(tmp_path / "out").spec.fields["text"].made_by["vocabulary"]
    assert "train" in words
    assert not {"test", "database"} & set(words)
    assert {word for word in words if word.isdigit()} == {str(i) for i in range(0, COUNT, 3) if i % 7}


def test_a_cache_has_every_split_and_what_is_missing(pairs, tmp_path):
    featurise(pairs, {"image": Use(Pixels(side=8, cells=2)), "text": Use(BagOfWords(8))}, tmp_path / "out")
    store = SampleStore.open(tmp_path / "out")
    (tmp_path / "cache").mkdir()
    cache = open_cache(tmp_path / "out", store.digest, tmp_path / "cache")
    assert set(cache.splits) == set(SPLITS)
    sizes = {split: len(store.rows(split)) for split in SPLITS}
    assert {split: len(one) for split, one in cache.splits.items()} == sizes
    assert sizes["val"] == 0
    assert sizes["database"] > 0
    for split in ("train", "test", "database"):
        values, present = cache.splits[split].inputs["text"], cache.splits[split].present["text"]
        assert present.sum() == len(store.load(split, "text")[1])
        assert (values.read(range(len(values)))[~present] == 0).all()


def test_pixels_for_a_network_are_images_as_an_ingest_makes_them(pairs, tmp_path):
    featurise(pairs, {"image": Use(Picture([6, 5]))}, tmp_path / "out")
    field = SampleStore.open(tmp_path / "out").spec.fields["image"]
    assert (field.kind, field.shape, field.made_by) == ("image", (3, 5, 6), {"picture": "resized"})


def test_the_same_pairs_give_the_same_bytes(pairs, tmp_path):
    for name in "ab":
        featurise(pairs, {"text": Use(BagOfWords(8)), "image": Use(Pixels())}, tmp_path / name)
    one, two = ((tmp_path / name / "samples.parquet").read_bytes() for name in "ab")
    assert one == two


def test_what_does_not_go_together_is_said(pairs, tmp_path):
    for uses in (
        {"image": Use(BagOfWords())},
        {"text": Use(Pixels())},
        {"text": Use(Given())},
        {"sound": Use(Given())},
        {"text": Use(BagOfWords(), captions=(9,))},
        {},
    ):
        with pytest.raises(ConfigError):
            featurise(pairs, uses, tmp_path / "out")
    assert not (tmp_path / "out/samples.parquet").exists()


def test_features_are_made_without_torch():
    program = (
        "import sys, spikinghash.front_ends.featurise, spikinghash.front_ends.table; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
