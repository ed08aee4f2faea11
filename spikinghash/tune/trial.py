"""One trial: the training loop as it is, alone in a process, with a report after every epoch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from spikinghash.allocator import keep_freed_memory
from spikinghash.data.cache_folder import BESIDE, cache_folder
from spikinghash.data.open_cache import open_cache
from spikinghash.errors import TrainingCollapsed
from spikinghash.methods.spec import ModelSpec
from spikinghash.training.data import prepare
from spikinghash.training.finish import finish
from spikinghash.training.loop import EpochRecord, Save, run
from spikinghash.training.recipe import Recipe


@dataclass(frozen=True)
class Trial:
    """All that a process needs to know, as plain values: what `point` of the space means for spec, loss and recipe.

    `cache` is the folder for the cache of the frames on the machine, None its user's.
    """

    point: dict[str, Any]
    frames: str
    frames_sha256: str
    spec: ModelSpec
    recipe: Recipe
    cache: str | None = None


def run_trial(trial: Trial, runs: Path, threads: int, tell: Callable[[dict[str, Any]], None]) -> None:
    """Train, and `tell` {epoch, val_map, loss, seconds} after each; a collapse is told as `collapsed` with score 0.

    Only training and validation clips are read.
    """
    torch.set_num_threads(threads)
    keep_freed_memory()
    cache = open_cache(Path(trial.frames), trial.frames_sha256, cache_folder(trial.cache, runs / BESIDE))
    method, data = prepare(cache, trial.spec, trial.recipe)
    if torch.cuda.is_available():
        method.cuda()
    told = 0

    def report(record: EpochRecord, _: Save | None) -> None:
        nonlocal told
        told = record.epoch
        tell({"epoch": told, "val_map": record.val_map, "loss": record.loss, "seconds": record.seconds})

    try:
        run(method, data, trial.recipe, report, finish=lambda m: finish(m, trial.spec))
    except TrainingCollapsed as error:
        tell({"epoch": told + 1, "val_map": 0.0, "loss": 0.0, "seconds": 0.0, "collapsed": str(error)})
