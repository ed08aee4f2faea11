"""Published protocols: which pairs ask, which train, which are only searched; drawn once and kept as lists.

Sizes as in the code of `swuxyj/DeepHash-pytorch`, `WendellGul/DCMH`, `kalenforn/clip-based-cross-modal-hash`,
`penghu-cs/UCCH` and `zs-zhong/DJSRH`. Those shuffle without a seed; here the draw depends on the protocol, a seed and
the ids alone, so that whoever has the pairs has the lists.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from spikinghash.datasets.split_lists import SplitLists
from spikinghash.errors import ConfigError
from spikinghash.pairs.pair import Pair

Splits = dict[str, str]


@dataclass(frozen=True)
class PerClass:
    """So many pairs of each class ask, so many train; of `first`, the class that comes first, as many as it says.

    A pair of several classes counts for the first, in the order of their names, that draws it. With `halves`, queries
    are drawn out of what the set states as its test or validation half, the others out of the rest.
    """

    query: int
    train: int
    first: tuple[int, int] | None = None
    halves: bool = False

    def __call__(self, pairs: Sequence[Pair]) -> Splits:
        """Splits of pairs, which are in the order of the draw."""
        splits = dict.fromkeys((pair.pair_id for pair in pairs), "database")
        for number, name in enumerate(sorted({label for pair in pairs for label in pair.labels})):
            query, train = self.first if self.first is not None and number == 0 else (self.query, self.train)
            for split, wanted in (("test", query), ("train", train)):
                free = [
                    p for p in pairs if name in p.labels and splits[p.pair_id] == "database" and self._may(p, split)
                ]
                if len(free) < wanted:
                    raise ConfigError(
                        f"{wanted} pairs of {name} are wanted for {split}, {len(free)} are left; it is too small"
                    )
                splits |= dict.fromkeys((pair.pair_id for pair in free[:wanted]), split)
        return splits

    def _may(self, pair: Pair, split: str) -> bool:
        return not self.halves or (pair.split in ("test", "val")) == (split == "test")


@dataclass(frozen=True)
class Whole:
    """So many pairs ask, whatever their classes, and so many of the others train: all where `train` is None."""

    query: int
    train: int | None

    def __call__(self, pairs: Sequence[Pair]) -> Splits:
        """Splits of pairs, which are in the order of the draw."""
        train = len(pairs) - self.query if self.train is None else self.train
        if len(pairs) < self.query + train or train < 1:
            raise ConfigError(
                f"{self.query} queries and {train} training pairs are wanted of {len(pairs)}; it is too small"
            )
        kinds = ["test"] * self.query + ["train"] * train + ["database"] * (len(pairs) - self.query - train)
        return {pair.pair_id: kind for pair, kind in zip(pairs, kinds, strict=True)}


def _halves(pairs: Sequence[Pair]) -> Splits:
    """The halves that the set states: all of one trains and is searched, all of the other asks."""
    splits = {pair.pair_id: "test" if pair.split == "test" else "train" for pair in pairs}
    if len(set(splits.values())) != 2:
        raise ConfigError("the set states no training and test half; import its column of splits")
    return splits


@dataclass(frozen=True)
class Protocol:
    """How pairs are drawn, and the splits that are searched: the training pairs are, but where a protocol says no."""

    draw: Callable[[Sequence[Pair]], Splits]
    database: tuple[str, ...] = ("train", "database")


PROTOCOLS: Mapping[str, Protocol] = {
    # one modality: methods of deep hashing
    "cifar10": Protocol(PerClass(100, 500), database=("database",)),
    "cifar10-1": Protocol(PerClass(100, 500)),
    "cifar10-2": Protocol(_halves, database=("train",)),
    "nuswide-21": Protocol(PerClass(100, 500)),
    "nuswide-81m": Protocol(Whole(5000, 10_000)),
    "coco": Protocol(Whole(5000, 10_000)),
    "imagenet-100": Protocol(PerClass(50, 130, halves=True)),
    "mirflickr-38": Protocol(Whole(1000, 4000)),
    "voc2012": Protocol(Whole(1000, 4000)),
    # two modalities
    "mirflickr-dcmh": Protocol(Whole(2000, 10_000)),
    "nuswide-dcmh": Protocol(Whole(2100, 10_500)),
    "mirflickr-clip": Protocol(Whole(5000, 10_000)),
    "nuswide-clip": Protocol(Whole(5000, 10_000)),
    "coco-clip": Protocol(Whole(5000, 10_000)),
    "mirflickr-ucch": Protocol(Whole(2000, None)),
    "nuswide-ucch": Protocol(Whole(2100, None)),
    "coco-ucch": Protocol(Whole(5000, None)),
    "mirflickr-djsrh": Protocol(PerClass(80, 200, first=(160, 400))),
    "nuswide-djsrh": Protocol(PerClass(200, 500)),
}


def draw_protocol(name: str, pairs: Iterable[Pair], seed: int) -> SplitLists:
    """Sorted ids by split; pairs need their ids, labels and, where a protocol keeps halves, what the set states.

    Raises `ConfigError` for an unknown protocol and a set that is too small for it.
    """
    if name not in PROTOCOLS:
        raise ConfigError(f"no protocol is called {name!r}; there are {', '.join(PROTOCOLS)}")
    ordered = sorted(pairs, key=lambda pair: (_rank(name, seed, pair.pair_id), pair.pair_id))
    try:
        splits = PROTOCOLS[name].draw(ordered)
    except ConfigError as error:
        raise ConfigError(f"the protocol {name} does not fit: {error}") from None
    lists: SplitLists = {}
    for pair, split in sorted(splits.items()):
        lists.setdefault(split, []).append(pair)
    return lists


def _rank(name: str, seed: int, pair: str) -> bytes:
    return hashlib.sha256(f"protocol {name}\0{seed}\0{pair}".encode()).digest()
