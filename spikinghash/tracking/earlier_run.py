"""A run that is to be there once: what earlier tries have left of it."""

from __future__ import annotations

from typing import Any


def earlier_run(client: Any, experiment: str, same: str) -> Any | None:
    """The finished run that `same`, a filter of MLflow's, finds; else the one that was begun last, None for neither.

    Where answers of the server were lost, a try may have begun several: those that nobody will finish are deleted.
    """
    found = client.search_runs([experiment], filter_string=same)
    finished = [run for run in found if is_finished(run)]
    begun = [run for run in found if run.info.status == "RUNNING"]
    kept = next(iter(finished + begun), None)
    for run in begun:
        if run is not kept:
            client.delete_run(run.info.run_id)
    return kept


def is_finished(run: Any | None) -> bool:
    """Whether there is a run, and all of it was logged."""
    return run is not None and bool(run.info.status == "FINISHED")
