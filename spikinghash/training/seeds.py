"""Seeds, set in one place and recorded with every model."""

from __future__ import annotations

import random

import numpy as np
import torch


def seed_everything(seed: int) -> None:
    """Seed Python, numpy and torch. The training loop draws from generators of its own on top of this."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)
