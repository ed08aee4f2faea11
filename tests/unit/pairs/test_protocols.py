import numpy as np
import pytest

from spikinghash.datasets.split_lists import split_checksum
from spikinghash.errors import ConfigError
from spikinghash.pairs.import_pairs import import_pairs
from spikinghash.pairs.pair import Candidate, Pair
from spikinghash.pairs.pair_file import PairFile
from spikinghash.pairs.protocols import PROTOCOLS, PerClass, Whole, draw_protocol
from spikinghash.pairs.resplit import resplit
from spikinghash.pairs.split_rules import split_rule


def single(count, classes, split="train"):
    return [Pair(f"{split}{i:06}", "g", split, (f"c{i % classes:02}",)) for i in range(count)]


def sizes(lists):
    return {split: len(names) for split, names in lists.items()}


@pytest.mark.parametrize(
    ("name", "pairs", "expected"),
    [
        ("cifar10", single(6000, 10), {"test": 1000, "train": 5000}),
        ("cifar10-1", single(7000, 10), {"test": 1000, "train": 5000, "database": 1000}),
        ("cifar10-2", single(50, 10) + single(20, 10, "test"), {"test": 20, "train": 50}),
        ("nuswide-21", single(12_700, 21), {"test": 2100, "train": 10_500, "database": 100}),
        ("imagenet-100", single(14_000, 100) + single(5000, 100, "val"),
         {"test": 5000, "train": 13_000, "database": 1000}),
        ("mirflickr-38", single(25_000, 24), {"test": 1000, "train": 4000, "database": 20_000}),
        ("coco", single(15_001, 80), {"test": 5000, "train": 10_000, "database": 1}),
        ("mirflickr-dcmh", single(20_015, 24), {"test": 2000, "train": 10_000, "database": 8015}),
        ("mirflickr-clip", single(24_581, 24), {"test": 5000, "train": 10_000, "database": 9581}),
        ("mirflickr-ucch", single(20_015, 24), {"test": 2000, "train": 18_015}),
        ("mirflickr-djsrh", single(24 * 600, 24), {"test": 2000, "train": 5000, "database": 7400}),
        ("nuswide-djsrh", single(8000, 10), {"test": 2000, "train": 5000, "database": 1000}),
    ],
)  # fmt: skip
def test_sizes_are_the_published_ones(name, pairs, expected):
    lists = draw_protocol(name, pairs, 1)
    assert sizes(lists) == expected
    assert sorted(name for names in lists.values() for name in names) == sorted(pair.pair_id for pair in pairs)


def test_queries_are_balanced_where_a_protocol_says_so():
    pairs = single(7000, 10)
    classes = {pair.pair_id: pair.labels[0] for pair in pairs}
    lists = draw_protocol("cifar10-1", pairs, 1)
    assert set(np.unique([classes[name] for name in lists["test"]], return_counts=True)[1]) == {100}
    assert set(np.unique([classes[name] for name in lists["train"]], return_counts=True)[1]) == {500}
    halves = draw_protocol("imagenet-100", single(14_000, 100) + single(5000, 100, "test"), 1)
    assert {name[:4] for name in halves["test"]} == {"test"}
    assert {name[:4] for name in halves["train"]} == {"trai"}


@pytest.mark.parametrize("seed", range(3))
def test_a_draw_does_not_depend_on_the_order_of_pairs(seed):
    rng = np.random.default_rng(seed)
    marks = rng.integers(0, 2, (9000, 4))
    names = [tuple(f"c{k}" for k in np.flatnonzero(row)) for row in marks]
    pairs = [Pair(str(i), "g", "train", labels) for i, labels in enumerate(names)]
    draw = PerClass(20, 30)
    again = [pairs[i] for i in rng.permutation(len(pairs))]
    lists = draw_protocol("voc2012", pairs, seed)
    assert split_checksum(draw_protocol("voc2012", again, seed)) == split_checksum(lists)
    assert split_checksum(draw_protocol("voc2012", pairs, seed + 1)) != split_checksum(lists)
    splits = draw(pairs)
    for split, wanted in (("test", 20), ("train", 30)):
        drawn = [pair for pair in pairs if splits[pair.pair_id] == split]
        assert len(drawn) == 4 * wanted
        assert all(pair.labels for pair in drawn)


def test_the_lists_of_a_seed_are_these_for_ever():
    lists = draw_protocol("cifar10-1", single(6000, 10), 1)
    assert split_checksum(lists) == "edb4c333ab176544cd9278a18b8dc6b41b92c8dc90db4fc50c43f399d85b05ee"


def test_what_is_too_small_is_refused_with_the_protocol():
    for name in PROTOCOLS:
        with pytest.raises(ConfigError, match=name):
            draw_protocol(name, single(30, 10), 1)
    with pytest.raises(ConfigError, match="cifar10-1"):
        draw_protocol("cifar", single(30, 10), 1)
    assert sizes_of(Whole(3, None)(single(5, 1))) == {"test": 3, "train": 2}


def sizes_of(splits):
    return {split: list(splits.values()).count(split) for split in set(splits.values())}


def test_a_file_of_pairs_takes_a_protocol_and_other_lists(tmp_path):
    candidates = [Candidate(f"p{i}", "here", labels=("x",), text=(f"t{i}",)) for i in range(9)]
    import_pairs(candidates, tmp_path / "a", split=split_rule(), needs=())
    splits = Whole(2, 4)(list(PairFile.open(tmp_path / "a").pairs()))
    lists = {kind: sorted(name for name, split in splits.items() if split == kind) for kind in set(splits.values())}
    resplit(tmp_path / "a", lists, seed=7, drawn_by="mine")
    file = PairFile.open(tmp_path / "a")
    assert {pair.pair_id: pair.split for pair in file.pairs()} == splits
    assert [pair.text for pair in file.pairs()] == [(f"t{i}",) for i in range(9)]
    assert file.spec.made_by["splits"] == {"drawn_by": "mine", "seed": 7, "checksum": split_checksum(lists)}
    # the lists are a file that an import takes
    import_pairs(candidates, tmp_path / "b", split=split_rule(file=str(tmp_path / "a/splits.json")), needs=())
    assert {pair.pair_id: pair.split for pair in PairFile.open(tmp_path / "b").pairs()} == splits
    with pytest.raises(ConfigError, match="other pairs"):
        resplit(tmp_path / "a", {"test": ["p1"]}, seed=7, drawn_by="mine")
