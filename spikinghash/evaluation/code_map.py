"""Codes as points of a plane: t-SNE of Hamming distances (van der Maaten and Hinton, JMLR 2008)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spikinghash.codes.packing import unpack

#: Clips that are drawn; t-SNE of more takes long and shows no more.
MOST = 1000
#: With fewer there is nothing to see.
FEWEST = 8
_PERPLEXITY = 30.0


def draw_sample(clips: int, most: int = MOST, seed: int = 0) -> NDArray[np.int64]:
    """Places of at most `most` of so many clips, ascending; the same arguments give the same ones."""
    return np.sort(np.random.default_rng(seed).permutation(clips)[:most])


def code_map(codes: NDArray[np.uint8], seed: int = 0) -> NDArray[np.float64] | None:
    """Codes uint8 [N, K/8] to points [N, 2], None where there are fewer than `FEWEST` of them."""
    from sklearn.manifold import TSNE  # a second that only this needs

    if len(codes) < FEWEST:
        return None
    # random: the axes of a PCA do not exist where all codes are equal
    fit = TSNE(
        metric="hamming", init="random", perplexity=min(_PERPLEXITY, (len(codes) - 1) / 3), random_state=seed, n_jobs=1
    )
    return np.asarray(fit.fit_transform(unpack(codes)), dtype=np.float64)
