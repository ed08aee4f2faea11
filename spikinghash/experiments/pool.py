"""Trials side by side, one process a core."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any

from spikinghash.experiments.trial import Trial, run_trial


def run_trials(
    trials: Sequence[Trial], *, workers: int | None = None, progress: Callable[[int, int], None] | None = None
) -> list[dict[str, Any]]:
    """Results in the order of `trials`, however they finish; the first failure ends it. `workers` None: one a core
    that this process may use.
    """
    # spawn: a fork would share torch's and numba's thread pools
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers or len(os.sched_getaffinity(0)), mp_context=context) as pool:
        futures = {pool.submit(run_trial, trial): i for i, trial in enumerate(trials)}
        results: dict[int, dict[str, Any]] = {}
        try:
            for done, future in enumerate(as_completed(futures), 1):
                results[futures[future]] = future.result()
                if progress is not None:
                    progress(done, len(trials))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return [results[i] for i in range(len(trials))]
