"""Codes for search tests, and the slow obvious answer."""

import numpy as np


def random_codes(rng, rows, width, spread=None):
    """Codes uint8 [rows, width] in which only the first `spread` bits vary: a small spread gives many ties."""
    codes = rng.integers(0, 256, (rows, width), dtype=np.uint8)
    if spread is None:
        return codes
    bits = np.unpackbits(codes, axis=1)
    bits[:, spread:] = 0
    return np.packbits(bits, axis=1)


def all_distances(queries, codes):
    table = np.array([value.bit_count() for value in range(256)], np.int32)
    return table[queries[:, None, :] ^ codes[None, :, :]].sum(axis=2, dtype=np.int32)


def ranked(queries, codes, allowed=None):
    """Per query the rows in order of (distance, row), and their distances."""
    answer = []
    for distances in all_distances(queries, codes):
        order = np.argsort(distances, kind="stable")
        order = order if allowed is None else order[allowed[order]]
        answer.append((order, distances[order]))
    return answer
