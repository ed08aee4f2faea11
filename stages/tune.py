"""Stage `tune`: a bounded search for better parameters, judged by validation clips. Not part of the pipeline."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from spikinghash.data.store import SampleStore
from spikinghash.params import Params
from spikinghash.progress import progress_bar
from spikinghash.tune.outcome import Outcome, best_of, write_outcomes
from spikinghash.tune.ray_tune import Bounds, search
from spikinghash.tune_trials import trials_of
from stages.run_stage import FRAMES, RUNS, run

PARAMS, OUT = Path("params.yaml"), Path("tuning")


def tune(params: Params) -> None:
    """Search, and say how to apply what was found."""
    t = params.tune
    trials = trials_of(PARAMS, params, SampleStore.open(FRAMES))
    most = sum(trial.recipe.epochs for trial in trials)
    started = time.monotonic()
    with progress_bar("tune (epochs, of at most)") as progress:

        def watch(outcomes: Sequence[Outcome]) -> None:
            best = best_of(outcomes)
            progress(sum(len(o.epochs) for o in outcomes), most, f"best {best.best:.4f} in trial {best.number}")

        bounds = Bounds(t.concurrent, params.train.threads, t.grace_epochs, t.reduction, t.hours)
        outcomes = search(trials, RUNS.resolve(), bounds, address=params.ray.address, watch=watch)
    best = write_outcomes(OUT, outcomes, time.monotonic() - started)
    stopped = sum(outcome.status == "stopped" for outcome in outcomes)
    print(f"best of {len(outcomes)} trials: validation mAP {best.best:.4f} at {best.point}; {stopped} stopped early")  # noqa: T201
    print(f"spikinghash preset apply {OUT / 'best.yaml'}")  # noqa: T201


if __name__ == "__main__":
    run(tune)
