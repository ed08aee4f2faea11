"""Stage `train`: frames to a model, with Ray Train."""

from __future__ import annotations

from spikinghash.params import Params
from spikinghash.progress import progress_bar
from spikinghash.training.job import job_for
from spikinghash.training.ray_trainer import train_with_ray
from stages.door import FRAMES, MODEL, RUNS, run


def train(params: Params) -> None:
    """Train the configured method."""
    job = job_for(FRAMES, MODEL, params.model, params.train)
    with progress_bar("train (epochs)") as progress:
        train_with_ray(
            job,
            RUNS,
            address=params.ray.address,
            threads=params.train.threads,
            watch=lambda record: progress(record["epoch"], record["epochs"]),
        )


if __name__ == "__main__":
    run(train)
