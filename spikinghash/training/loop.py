"""The training loop, readable top to bottom. It knows neither Ray nor files of data, only data sets and callbacks."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from torch import nn

from spikinghash.data.dataset import SampleDataset
from spikinghash.data.loader import Loader
from spikinghash.data.order import ALONE, EpochBatches, Ranks, generator_of
from spikinghash.errors import TrainingCollapsed
from spikinghash.training.activation_checkpointing import activation_checkpointing
from spikinghash.training.epoch import run_epoch
from spikinghash.training.flush_denormals import flush_denormals
from spikinghash.training.rank_state import load_rank, save_rank
from spikinghash.training.recipe import Recipe, make_optimiser
from spikinghash.training.state import Progress, load_state, save_state, snapshot
from spikinghash.training.validation import Validation, validate

#: Epochs in a row with a single code before training is called collapsed, once a quarter of it is done.
_PATIENCE = 3
#: Training samples whose codes are looked at where there are none for validation.
_WATCHED = 1000


@dataclass(frozen=True)
class TrainingData:
    """Samples for training and for validation, None where nothing is chosen by them."""

    train: SampleDataset
    val: SampleDataset | None


@dataclass(frozen=True)
class EpochRecord:
    """What one epoch showed; goes to the history, the progress bar and MLflow. Without a classifier no
    `accuracy`, without labels to validate by no `val_map`.
    """

    epoch: int
    epochs: int
    loss: float
    accuracy: float | None
    lr: float
    grad_norm: float
    val_map: float | None
    distinct: float
    dead_bits: int
    seconds: float
    clips_per_s: float
    parts: dict[str, float] = field(default_factory=dict)
    rates: dict[str, float] = field(default_factory=dict)


Save = Callable[[Path], None]
Report = Callable[[EpochRecord, Save | None], None]


@flush_denormals()
def run(
    method: nn.Module,
    data: TrainingData,
    recipe: Recipe,
    report: Report,
    *,
    ranks: Ranks = ALONE,
    wrap: Callable[[nn.Module], nn.Module] = lambda m: m,
    sync: Callable[[nn.Module], None] = lambda m: None,
    finish: Callable[[nn.Module], None] = lambda m: None,
    keep: Callable[[Save, Progress], None] = lambda save, progress: None,
    resume: Path | None = None,
    loader_workers: int = 0,
) -> Progress:
    """Train `method` in place and return the progress with the best network; one that has nothing to learn by gradients
    is done after its `fit`.

    `wrap` makes it distributed, and `sync` averages the ranks' buffers after an epoch.
    `finish` turns a copy into what would be saved, which is what is validated.
    `report(record, save)` is called once an epoch on every rank; `save(folder)` writes the training state of this rank
    and is None in epochs without one. `keep(save, progress)` is called where a state is due within an epoch. `resume`
    is a folder that every rank has saved to. `loader_workers` as in `Loader`. Raises `TrainingCollapsed`.
    """
    if resume is None:
        method.fit(data.train)  # type: ignore[operator]
    if not any(p.requires_grad for p in method.parameters()):
        return Progress(epoch=recipe.epochs, world=ranks.world)
    watched = data.val or data.train.first(_WATCHED)
    optimiser = make_optimiser(method, recipe)
    progress = load_state(resume, method, optimiser) if resume else Progress()
    wrapped = wrap(method)
    draws = generator_of(recipe.seed, progress.epoch, 1 + ranks.rank)
    if resume:
        # after `wrap`, which gives all ranks the buffers of the first
        load_rank(resume, ranks, progress.world, method, draws)
    progress.world = ranks.world
    loader = Loader(data.train, EpochBatches(len(data.train), recipe.batch, recipe.seed, ranks), loader_workers)

    def save(folder: Path) -> None:
        if ranks.rank == 0:
            save_state(folder, method, optimiser, progress)
        save_rank(folder, ranks.rank, method, draws)

    while progress.epoch < recipe.epochs:
        with activation_checkpointing(method) if recipe.activation_checkpointing else nullcontext():
            run_epoch(wrapped, loader, recipe, optimiser, progress, draws, lambda: keep(save, progress))
        if not math.isfinite(norm := progress.totals["grad_norm"]):
            # the last loss was a number, and the weights are none
            raise TrainingCollapsed(f"gradients became {norm} in epoch {progress.epoch + 1}; lower train.lr")
        started = time.monotonic()
        sync(method)
        method.end_epoch((progress.epoch + 1) / recipe.epochs)  # type: ignore[operator]
        candidate = copy.deepcopy(method)
        finish(candidate)
        seen = validate(candidate, watched, recipe.batch)
        seconds = progress.seconds + time.monotonic() - started
        record = _record(progress, recipe, seen, seconds, len(data.train))
        _count(progress, recipe, candidate, seen, len(watched))
        draws.set_state(generator_of(recipe.seed, progress.epoch, 1 + ranks.rank).get_state())
        due = progress.epoch == recipe.epochs or progress.epoch % recipe.checkpoint_every == 0
        report(record, save if due else None)
        done = progress.epoch * loader.batches.steps
        if progress.silent >= _PATIENCE and progress.epoch > recipe.epochs / 4 and done >= recipe.settle_steps:
            raise TrainingCollapsed(
                f"all validation codes were equal for {progress.silent} epochs (epoch {progress.epoch}); lower "
                f"train.lr, or look at the firing rates in the history: {_quiet(seen)}"
            )
    return progress


def _count(progress: Progress, recipe: Recipe, candidate: nn.Module, seen: Validation, clips: int) -> None:
    """One more epoch is finished, after which `candidate` was validated on so many clips."""
    progress.epoch, progress.step, progress.totals, progress.seconds = progress.epoch + 1, 0, {}, 0.0
    progress.silent = progress.silent + 1 if seen.distinct * clips <= 1.5 else 0
    if recipe.select == "last" or seen.score > progress.best_score:
        progress.best_score, progress.best_epoch = seen.score, progress.epoch
        progress.best = snapshot(candidate.network)  # type: ignore[arg-type]


def _record(progress: Progress, recipe: Recipe, seen: Validation, seconds: float, clips: int) -> EpochRecord:
    totals = progress.totals
    parts = {k.removeprefix("part/"): v for k, v in totals.items() if k.startswith("part/")}
    if seen.recall is not None:
        parts["val_recall"] = seen.recall
    return EpochRecord(
        epoch=progress.epoch + 1,
        epochs=recipe.epochs,
        loss=totals["loss"],
        accuracy=totals.get("accuracy"),
        lr=totals["lr"],
        grad_norm=totals["grad_norm"],
        val_map=seen.mean_ap,
        distinct=seen.distinct,
        dead_bits=seen.dead_bits,
        seconds=seconds,
        clips_per_s=clips / seconds,
        parts=parts,
        rates=seen.rates,
    )


def _quiet(seen: Validation) -> str:
    silent = [name for name, rate in seen.rates.items() if rate in (0.0, 1.0)]
    return ", ".join(silent[:4]) or "no layer is silent"
