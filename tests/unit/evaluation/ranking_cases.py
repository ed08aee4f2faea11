"""Small retrieval tasks and slow obvious oracles for the ranking tests."""

import itertools

import numpy as np

from spikinghash.evaluation.retrieval import retrieval


def at_distances(distances, relevant, bits=None, **options):
    """A task whose query q is at the given distance [Q][N] from gallery item n (one query unless bits allow)."""
    distances = np.atleast_2d(distances)
    assert len(distances) == 1, "any distances can be had for one query only"
    bits = bits or max(8, -(-int(distances.max()) // 8) * 8)
    gallery = np.zeros((distances.shape[1], bits), np.uint8)
    for row, ones in enumerate(distances[0]):
        gallery[row, :ones] = 1
    query = np.zeros((1, bits // 8), np.uint8)
    return retrieval(query, np.packbits(gallery, axis=1), np.atleast_2d(np.asarray(relevant, dtype=bool)), **options)


def random_task(rng, queries=9, items=40, width=2, spread=8, share=0.3, **options):
    """Random codes in which only the first `spread` bits vary, so that small `spread` gives many ties."""
    codes = rng.integers(0, 2, (queries + items, width * 8), dtype=np.uint8)
    codes[:, spread:] = 0
    codes = np.packbits(codes, axis=1)
    return retrieval(codes[:queries], codes[queries:], rng.random((queries, items)) < share, **options)


def orders(distances):
    """All orders of the items that sort the distances."""
    ranked = sorted(range(len(distances)), key=lambda item: distances[item])
    groups = [list(group) for _, group in itertools.groupby(ranked, key=lambda item: distances[item])]
    for parts in itertools.product(*(itertools.permutations(group) for group in groups)):
        yield [item for part in parts for item in part]


def average_precision(ranked, cut, form="C"):
    """Average precision of a list of 0 and 1, written as the definition reads."""
    total, hits = 0.0, 0
    top = sum(ranked[:cut])
    every = sum(ranked)
    for rank, relevant in enumerate(ranked, start=1):
        hits += relevant
        inside = hits <= cut if form == "B" else rank <= cut
        if relevant and inside:
            total += hits / rank
    divisor = {"A": top, "B": min(every, cut), "C": min(every, cut)}[form]
    return total / divisor if divisor else 0.0
