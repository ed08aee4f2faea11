"""Ray Tune around trials: some at a time, ASHA (Li et al. 2020) stops those that fall behind.

A rung is `grace_epochs` times a power of `reduction`; a trial goes on from there only among the best 1 / `reduction` of
those that were there so far. So which ones are stopped depends on who is first: points, and the numbers of an epoch of
each, are the same every time, the end of a search with several trials at once need not be.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import ray
import ray.tune
import torch
from ray.tune.schedulers import ASHAScheduler

from spikinghash.errors import SpikinghashError
from spikinghash.isolation import packages_alone
from spikinghash.training.ray_session import connect_ray, explain_ray
from spikinghash.tune.outcome import Outcome
from spikinghash.tune.trial import Trial, run_trial

#: Called with all outcomes as they are after every epoch of any trial.
Watch = Callable[[Sequence[Outcome]], None]


@dataclass(frozen=True)
class Bounds:
    """`concurrent` trials of `threads` CPUs each, for at most `hours` together."""

    concurrent: int
    threads: int
    grace_epochs: int
    reduction: int
    hours: float


def search(
    trials: Sequence[Trial], runs: Path, bounds: Bounds, *, address: str | None = None, watch: Watch | None = None
) -> list[Outcome]:
    """Run `trials` on the cluster at `address`, or on a local Ray; returns an outcome each, in order.

    `runs` is a folder for what is under way. Raises `SpikinghashError` where no trial came to a score.
    """
    outcomes = [Outcome(number, trial.point, trial.recipe.epochs) for number, trial in enumerate(trials)]
    with ExitStack() as resources:
        if not ray.is_initialized():
            packages = resources.enter_context(packages_alone())
            connect_ray(packages, address, bounds.concurrent * bounds.threads)
            resources.callback(ray.shutdown)
        place = runs / "tune"
        resources.callback(partial(shutil.rmtree, place, ignore_errors=True))
        try:
            notes = _Notes(outcomes, watch)
            _tuner(list(trials), place, bounds, notes).fit()
            for trial in notes.given_up:
                outcomes[trial.config["number"]].failed = _last_line(trial.get_error() or "its process died")
        except Exception as error:
            raise explain_ray(error) or SpikinghashError(f"the search failed: {_last_line(error)}") from error
    if not any(outcome.epochs for outcome in outcomes):
        reasons = [outcome.failed for outcome in outcomes if outcome.failed]
        raise SpikinghashError(f"no trial finished an epoch: {reasons[0] if reasons else 'tune.hours is too short'}")
    return outcomes


def _tuner(trials: list[Trial], place: Path, bounds: Bounds, notes: _Notes) -> Any:
    # its own log files of every result are not ours
    os.environ.setdefault("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1")
    need: dict[str, float] = {"CPU": bounds.threads, "GPU": 1 if torch.cuda.is_available() else 0}
    trainable = ray.tune.with_parameters(
        _train, trials=trials, runs=str(place.parent.resolve()), threads=bounds.threads
    )
    longest = max(trial.recipe.epochs for trial in trials)
    return ray.tune.Tuner(
        ray.tune.with_resources(trainable, need),
        param_space={"number": ray.tune.grid_search(list(range(len(trials))))},
        tune_config=ray.tune.TuneConfig(
            metric="val_map",
            mode="max",
            scheduler=ASHAScheduler(
                time_attr="epoch",
                max_t=longest,
                grace_period=min(bounds.grace_epochs, longest),
                reduction_factor=bounds.reduction,
            ),
            max_concurrent_trials=bounds.concurrent,
            time_budget_s=bounds.hours * 3600,
            # a process serves several trials: importing takes longer than an epoch of a small set
            reuse_actors=True,
        ),
        run_config=ray.tune.RunConfig(
            name="search",
            storage_path=str(place.resolve()),
            verbose=0,
            callbacks=[notes],
            failure_config=ray.tune.FailureConfig(max_failures=1),
        ),
    )


def _train(config: dict[str, Any], trials: list[Trial], runs: str, threads: int) -> None:
    """In a process of Ray."""
    run_trial(trials[config["number"]], Path(runs), threads, ray.tune.report)


class _Notes(ray.tune.Callback):
    """Keeps what trials tell, in the process that searches."""

    def __init__(self, outcomes: Sequence[Outcome], watch: Watch | None) -> None:
        self.outcomes, self.watch = outcomes, watch
        self.given_up: list[Any] = []

    def __getstate__(self) -> dict[str, Any]:
        """Nothing for the copy that Ray writes to disk: a search is not taken up again."""
        return {"outcomes": (), "watch": None, "given_up": []}

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """As Ray calls it."""
        kept = ("epoch", "val_map", "loss", "seconds", "collapsed")
        outcome = self.outcomes[trial.config["number"]]
        epoch = {key: result[key] for key in kept if key in result}
        # one that was started again tells its first epochs again
        outcome.epochs = [*(e for e in outcome.epochs if e["epoch"] < epoch["epoch"]), epoch]
        if self.watch is not None:
            self.watch(self.outcomes)

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """As Ray calls it, before the reason is where it can be read."""
        self.given_up.append(trial)


def _last_line(error: Exception | str) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    last = lines[-1] if lines else type(error).__name__
    return last.split("Error: ", 1)[-1] if last.startswith("ray.") else last.partition("spikinghash.errors.")[2] or last
