"""Stage `train`: frames to a model, with Ray Train where there are steps to take."""

from __future__ import annotations

import sys
import time

from spikinghash.configs import cache_of, model_spec, recipe
from spikinghash.data.cache_folder import BESIDE, cache_folder
from spikinghash.data.open_cache import open_cache
from spikinghash.data.store import SampleStore
from spikinghash.params import ProjectParams
from spikinghash.progress import progress_bar
from spikinghash.project_params import load_project
from spikinghash.training.ray_trainer import Job, train_with_ray
from spikinghash.training.solve import is_solved, solve
from stages.run_stage import MODEL, RUNS, run_with, samples_of


def train(params: ProjectParams) -> None:
    """Train the configured method."""
    place = samples_of(params)
    store = SampleStore.open(place)
    job = Job(
        frames=str(place.resolve()),
        frames_sha256=store.digest,
        out=str(MODEL.resolve()),
        spec=model_spec(params, store),
        recipe=recipe(params),
        workers=params.train.workers,
        cache=cache_of(params),
        loader_workers=params.train.loader_workers,
    )
    if params.ray.address is None:
        # too little room is told before Ray starts
        with progress_bar("train (clips copied)") as copied:
            open_cache(place, store.digest, cache_folder(job.cache, RUNS.resolve() / BESIDE), copied)
        if is_solved(job):
            started = time.monotonic()
            solve(job, RUNS.resolve(), params.train.threads)
            _say(f"{job.spec.method} in closed form, {time.monotonic() - started:.1f} s")
            return
    with progress_bar("train (epochs)") as progress:
        train_with_ray(
            job, RUNS.resolve(), address=params.ray.address, storage=params.ray.storage,
            threads=params.train.threads, watch=lambda record: progress(record["epoch"], record["epochs"]),
            say=_say,
        )  # fmt: skip


def _say(line: str) -> None:
    print(f"train: {line}", file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    run_with(load_project, train)
