"""The steps of one epoch, from the one on where training stands."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from spikinghash.data.batch import Batch
from spikinghash.data.dataset import SampleDataset
from spikinghash.data.loader import Loader
from spikinghash.errors import TrainingCollapsed
from spikinghash.training.augment import augment
from spikinghash.training.optimizer_step import accumulated_step
from spikinghash.training.recipe import Recipe, learning_rate
from spikinghash.training.state import Progress


def run_epoch(
    method: nn.Module,
    loader: Loader,
    recipe: Recipe,
    optimiser: torch.optim.Optimizer,
    progress: Progress,
    draws: torch.Generator,
    keep: Callable[[], None],
) -> None:
    """Do the steps that are left of epoch `progress.epoch`, and count them and their means in `progress`.

    `draws` gives the numbers of augmentation. `keep` is called where a state is to be saved within the epoch.
    """
    method.train()
    loader.batches.start(progress.epoch, progress.step)
    steps, before, started = loader.batches.steps, progress.seconds, time.monotonic()
    for batch in loader:
        lr = learning_rate(recipe, progress.epoch * steps + progress.step, recipe.epochs * steps)
        for group in optimiser.param_groups:
            group["lr"] = lr
        values = train_step(method, loader.dataset, batch, recipe, optimiser, progress, draws)
        for name, value in values.items():
            progress.totals[name] = progress.totals.get(name, 0.0) + value / steps
        progress.totals["lr"] = lr
        progress.step += 1
        progress.seconds = before + time.monotonic() - started
        if recipe.checkpoint_steps and progress.step % recipe.checkpoint_steps == 0 and progress.step < steps:
            keep()


def train_step(
    method: nn.Module, dataset: SampleDataset, batch: Batch, recipe: Recipe,
    optimiser: torch.optim.Optimizer, progress: Progress, draws: torch.Generator,
) -> dict[str, float]:  # fmt: skip
    """One step on a batch as it was read, `recipe.accumulate` parts of them one after the other;
    returns its numbers by name, means over the parts.
    """
    device = next(method.parameters()).device
    batch = augment(dataset.for_method(batch, device), recipe.augmentation, draws)
    found: list[dict[str, float]] = []

    def loss_of(part: int) -> Tensor:
        with torch.autocast("cuda", torch.bfloat16, enabled=recipe.amp and device.type == "cuda"):
            result = method(batch.part(slice(part, None, recipe.accumulate)))
        loss = float(result.loss.detach())
        if not math.isfinite(loss):
            where = f"epoch {progress.epoch + 1}, step {progress.step + 1}"
            raise TrainingCollapsed(f"loss became {loss} in {where}; lower train.lr")
        parts = {f"part/{name}": float(value) for name, value in result.parts.items()}
        right = {} if result.correct is None else {"accuracy": float(result.correct.float().mean())}
        found.append({"loss": loss} | right | parts)
        computed: Tensor = result.loss
        return computed

    losses = [partial(loss_of, part) for part in range(recipe.accumulate)]
    norm = accumulated_step(method, losses, optimiser, recipe.grad_clip)
    return {name: sum(one[name] for one in found) / len(found) for name in found[0]} | {"grad_norm": norm}
