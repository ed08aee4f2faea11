"""Two measured models with random codes of the same clips."""

import numpy as np

from spikinghash.codes.codeset import CodeSet
from spikinghash.codes.packing import pack
from spikinghash.evaluation.bits import bit_health
from spikinghash.evaluation.distance_histogram import distance_histogram
from spikinghash.evaluation.gate import Evidence
from spikinghash.evaluation.measured import Measured
from spikinghash.evaluation.retrieval import between
from spikinghash.evaluation.tie_aware import tied_bounds


def code_set(model, codes, labels, clip_ids):
    N = len(codes)
    return CodeSet(
        clip_ids=np.array(clip_ids, object), codes=codes, labels=np.array(labels, object),
        recordings=np.array(clip_ids, object), splits=np.full(N, "test", object), start_us=np.zeros(N, np.int64),
        end_us=np.ones(N, np.int64), model=model, bits=codes.shape[1] * 8, version=1,
    )  # fmt: skip


def class_codes(rng, labels, bits, flip):
    """Codes [N, K/8]: a random word for each class, in which every bit is turned with probability `flip`."""
    words = {name: np.random.default_rng(hash_of(name)).integers(0, 2, bits) for name in sorted(set(labels))}
    clean = np.stack([words[name] for name in labels])
    return pack((clean ^ (rng.random(clean.shape) < flip)).astype(np.uint8))


def hash_of(name):
    return sum(ord(c) * 31**i for i, c in enumerate(name)) % 2**32


def measured(
    model, queries, gallery, *, bits=64, flip=0.2, seed=0, energy_pj=12e6, hash_pj=1e6, recordings=None, **changed
):
    """A model whose codes of `queries` and `gallery`, each (clip ids, labels), are the noisier the larger `flip` is."""
    rng = np.random.default_rng(seed)
    asked, there = (
        code_set(model, class_codes(rng, labels, bits, flip), labels, ids) for ids, labels in (queries, gallery)
    )
    health = bit_health(there.codes)
    evidence = Evidence(
        model=model, precision=tied_bounds(distance_histogram(between(asked, there))), labels=asked.labels,
        recordings=np.arange(1, len(asked) + 1, dtype=np.uint64) if recordings is None else recordings,
        energy_pj=energy_pj, dead_bits=len(health.dead) / bits, drift=0.1, differing=0, leaked=0, missing=(), **changed,
    )  # fmt: skip
    return Measured(evidence, asked, there, health, hash_pj)


def clips(count, labels, start=0):
    """Ids and labels of so many clips."""
    return [f"clip {start + i:03}" for i in range(count)], [labels[i % len(labels)] for i in range(count)]
