"""The training loop, readable top to bottom. It knows neither Ray nor files of data, only tensors and callbacks."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from spikinghash.errors import TrainingCollapsed
from spikinghash.training.augment import augment
from spikinghash.training.flush_denormals import flush_denormals
from spikinghash.training.optimizer_step import optimizer_step
from spikinghash.training.recipe import Recipe, learning_rate, make_optimiser
from spikinghash.training.state import Progress, load_state, save_state, snapshot
from spikinghash.training.validation import Validation, validate

#: Epochs in a row with a single code before training is called collapsed, once a quarter of it is done.
_PATIENCE = 3


@dataclass(frozen=True)
class TrainingData:
    """Frames [N, T, P, H, W] at network geometry, events float32 and pixels uint8, labels [N] int64, for training and
    validation.
    """

    frames: Tensor
    labels: Tensor
    val_frames: Tensor
    val_labels: Tensor


@dataclass(frozen=True)
class Ranks:
    """Which worker this is, and of how many."""

    rank: int = 0
    world: int = 1


@dataclass(frozen=True)
class EpochRecord:
    """What one epoch showed; goes to the history, the progress bar and MLflow."""

    epoch: int
    epochs: int
    loss: float
    accuracy: float
    lr: float
    grad_norm: float
    val_map: float
    distinct: float
    dead_bits: int
    seconds: float
    clips_per_s: float
    parts: dict[str, float] = field(default_factory=dict)
    rates: dict[str, float] = field(default_factory=dict)


Report = Callable[[EpochRecord, Callable[[Path], None] | None], None]


@flush_denormals()
def run(
    method: nn.Module,
    data: TrainingData,
    recipe: Recipe,
    report: Report,
    *,
    ranks: Ranks = Ranks(),
    wrap: Callable[[nn.Module], nn.Module] = lambda m: m,
    sync: Callable[[nn.Module], None] = lambda m: None,
    finish: Callable[[nn.Module], None] = lambda m: None,
    resume: Path | None = None,
) -> Progress:
    """Train `method` in place and return the progress with the best network.

    `wrap` makes it distributed, and `sync` averages the ranks' buffers after an epoch.
    `finish` turns a copy into what would be saved, which is what is validated.
    `report(record, save)` is called once an epoch on every rank; `save(folder)` writes the training state and is None
    in epochs without one. `resume` is such a folder. Raises `TrainingCollapsed`.
    """
    optimiser = make_optimiser(method, recipe)
    progress = load_state(resume, method, optimiser) if resume else Progress()
    wrapped = wrap(method)
    silent = 0
    for epoch in range(progress.epoch, recipe.epochs):
        started = time.monotonic()
        totals = _epoch(wrapped, data, recipe, optimiser, epoch, ranks)
        sync(method)
        method.end_epoch((epoch + 1) / recipe.epochs)  # type: ignore[operator]
        candidate = copy.deepcopy(method)
        finish(candidate)
        seen = validate(candidate, data.val_frames, data.val_labels, recipe.batch)
        progress.epoch = epoch + 1
        if seen.score > progress.best_score:
            progress.best_score, progress.best_epoch = seen.score, epoch + 1
            progress.best = snapshot(candidate.network)  # type: ignore[arg-type]
        silent = silent + 1 if seen.distinct * len(data.val_labels) <= 1.5 else 0
        record = _record(epoch, recipe, totals, seen, time.monotonic() - started, len(data.labels))
        last = progress.epoch == recipe.epochs
        due = last or progress.epoch % recipe.checkpoint_every == 0
        report(record, (lambda folder: save_state(folder, method, optimiser, progress)) if due else None)
        steps = progress.epoch * max(1, len(data.labels) // recipe.batch)
        if silent >= _PATIENCE and progress.epoch > recipe.epochs / 4 and steps >= recipe.settle_steps:
            raise TrainingCollapsed(
                f"all validation codes were equal for {silent} epochs (epoch {progress.epoch}); lower train.lr, "
                f"or look at the firing rates in the history: {_quiet(seen)}"
            )
    return progress


def _epoch(
    method: nn.Module,
    data: TrainingData,
    recipe: Recipe,
    optimiser: torch.optim.Optimizer,
    epoch: int,
    ranks: Ranks,
) -> dict[str, float]:
    method.train()
    order = torch.randperm(len(data.labels), generator=_generator(recipe.seed, epoch, 0))
    draws = _generator(recipe.seed, epoch, 1 + ranks.rank)
    steps = max(1, len(order) // recipe.batch)
    totals: dict[str, float] = {}
    for step in range(steps):
        chosen = order[step * recipe.batch : (step + 1) * recipe.batch][ranks.rank :: ranks.world]
        frames = augment(data.frames[chosen].transpose(0, 1), recipe.augmentation, draws)
        lr = learning_rate(recipe, epoch * steps + step, recipe.epochs * steps)
        for group in optimiser.param_groups:
            group["lr"] = lr
        device = next(method.parameters()).device
        with torch.autocast("cuda", torch.bfloat16, enabled=recipe.amp and device.type == "cuda"):
            result = method(frames.to(device), data.labels[chosen].to(device))
        loss = float(result.loss.detach())
        if not math.isfinite(loss):
            raise TrainingCollapsed(f"loss became {loss} in epoch {epoch + 1}, step {step + 1}; lower train.lr")
        norm = optimizer_step(method, result.loss, optimiser, recipe.grad_clip)
        values = {"loss": loss, "accuracy": float(result.correct.float().mean()), "grad_norm": norm, "lr": lr}
        for name, value in (values | {f"part/{k}": float(v) for k, v in result.parts.items()}).items():
            totals[name] = totals.get(name, 0.0) + value / steps
    totals["lr"] = lr
    return totals


def _generator(seed: int, epoch: int, stream: int) -> torch.Generator:
    """A generator that depends on nothing but its arguments, so that any epoch can be repeated."""
    return torch.Generator().manual_seed((seed * 1_000_003 + epoch) * 1_009 + stream)


def _record(
    epoch: int, recipe: Recipe, totals: dict[str, Any], seen: Validation, seconds: float, clips: int
) -> EpochRecord:
    return EpochRecord(
        epoch=epoch + 1,
        epochs=recipe.epochs,
        loss=totals["loss"],
        accuracy=totals["accuracy"],
        lr=totals["lr"],
        grad_norm=totals["grad_norm"],
        val_map=seen.score,
        distinct=seen.distinct,
        dead_bits=seen.dead_bits,
        seconds=seconds,
        clips_per_s=clips / seconds,
        parts={k.removeprefix("part/"): v for k, v in totals.items() if k.startswith("part/")},
        rates=seen.rates,
    )


def _quiet(seen: Validation) -> str:
    silent = [name for name, rate in seen.rates.items() if rate in (0.0, 1.0)]
    return ", ".join(silent[:4]) or "no layer is silent"
