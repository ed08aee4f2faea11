"""Iterative quantisation: the rotation that brings vectors nearest to their signs.

Gong, Lazebnik, Gordo and Perronnin, "Iterative Quantization", TPAMI 2013, section 3.2.
"""

from __future__ import annotations

import torch
from torch import Tensor

ITERATIONS = 50
#: Rows that a rotation is learnt from at most; it has only K x K numbers.
MOST_ROWS = 20_000


def random_rotation(bits: int, seed: int) -> Tensor:
    """An orthogonal matrix [K, K], float64: Q of a Gaussian one."""
    gaussian = torch.randn(bits, bits, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return torch.linalg.qr(gaussian)[0]


def itq_rotation(values: Tensor, seed: int) -> Tensor:
    """Centred values V [N, K] -> R [K, K], orthogonal, float64, that lowers |sign(V R) - V R|^2 from a random start.

    Signs and rotation are made best in turn, `ITERATIONS` times: given signs B, R is the solution of orthogonal
    Procrustes.
    """
    values = values.double()
    rotation = random_rotation(values.shape[1], seed)
    for _ in range(ITERATIONS):
        codes = torch.where(values @ rotation > 0, 1.0, -1.0).to(torch.float64)
        left, _, right = torch.linalg.svd(values.T @ codes)
        rotation = left @ right
    return rotation
