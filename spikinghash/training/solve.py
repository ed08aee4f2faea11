"""Training of a method in closed form: in this process, for it has no steps that workers could share."""

from __future__ import annotations

from pathlib import Path

import torch

from spikinghash.data.cache_folder import BESIDE, cache_folder
from spikinghash.data.open_cache import open_cache
from spikinghash.methods.registry import entry_of
from spikinghash.training.data import prepare
from spikinghash.training.loop import EpochRecord, Save, run
from spikinghash.training.publish import publish
from spikinghash.training.ray_trainer import Job


def is_solved(job: Job) -> bool:
    """Whether the job's method is one in closed form."""
    return entry_of(job.spec.method).closed_form


def solve(job: Job, runs: Path, threads: int) -> None:
    """Leave the model of such a job in `job.out`, with the bits that a worker of Ray of as many threads finds."""
    cache = open_cache(Path(job.frames), job.frames_sha256, cache_folder(job.cache, runs / BESIDE))
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        method, data = prepare(cache, job.spec, job.recipe)
        progress = run(method, data, job.recipe, _no_epoch)
        publish(Path(job.out), job.spec, method, progress, job.recipe, [], data.train)
    finally:
        torch.set_num_threads(before)


def _no_epoch(record: EpochRecord, save: Save | None) -> None:
    raise AssertionError("a method in closed form has no epochs")
