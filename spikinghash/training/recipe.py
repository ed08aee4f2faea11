"""How to train, as plain values."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from pytorch_optimizer import AdamP
from torch import nn
from torch.optim import Adam, AdamW, Optimizer

from spikinghash.errors import ConfigError
from spikinghash.training.augment import Augmentation


@dataclass(frozen=True)
class Recipe:
    """`batch` clips per step over all workers; `lr` the peak rate after `warmup`, a share of all steps; `seed` fixes
    initialisation, order and augmentation; `checkpoint_every` epochs between saved states, and `checkpoint_steps` steps
    between more of them within an epoch, 0 for none; before `settle_steps` the
    running statistics lag behind the weights and equal validation codes are no collapse;
    `amp` computes in bfloat16 on CUDA devices and nowhere else; `accumulate` parts of a worker's clips are computed one
    after the other, each with pairs and statistics of its own, as if there were so many more workers;
    `activation_checkpointing` has blocks computed again for the gradient: less memory, the same step; `select` is
    "best", the epoch that validates best, or "last"; `betas` are the optimiser's.
    """

    epochs: int
    batch: int
    lr: float
    seed: int
    weight_decay: float = 0.05
    warmup: float = 0.1
    optimiser: str = "adamp"
    grad_clip: float = 1.0
    checkpoint_every: int = 5
    checkpoint_steps: int = 0
    settle_steps: int = 100
    amp: bool = False
    accumulate: int = 1
    activation_checkpointing: bool = False
    augmentation: Augmentation = field(default_factory=Augmentation)
    select: str = "best"
    betas: tuple[float, float] = (0.9, 0.999)


def learning_rate(recipe: Recipe, step: int, steps: int) -> float:
    """Linear warm-up, then cosine to a hundredth of the peak; a function of the step, so resuming needs no state."""
    warm = max(1, round(recipe.warmup * steps))
    if step < warm:
        return recipe.lr * (step + 1) / warm
    progress = (step - warm) / max(1, steps - warm)
    return recipe.lr * (0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * progress)))


def make_optimiser(module: nn.Module, recipe: Recipe) -> Optimizer:
    """AdamP (the paper's), AdamW or Adam; biases, norms and other vectors are not decayed."""
    decay = [p for p in module.parameters() if p.ndim > 1]
    plain = [p for p in module.parameters() if p.ndim <= 1]
    groups: list[dict[str, Any]] = [
        {"params": decay, "weight_decay": recipe.weight_decay},
        {"params": plain, "weight_decay": 0.0},
    ]
    if recipe.optimiser == "adamp":
        # batched where that is faster: projections of matrices are not
        groups[1]["foreach"] = True
        return AdamP(groups, lr=recipe.lr, betas=recipe.betas)
    if recipe.optimiser == "adamw":
        return AdamW(groups, lr=recipe.lr, betas=recipe.betas)
    if recipe.optimiser == "adam":
        return Adam(groups, lr=recipe.lr, betas=recipe.betas)
    raise ConfigError(f"unknown optimiser {recipe.optimiser!r}; one of: adamp, adamw, adam")
