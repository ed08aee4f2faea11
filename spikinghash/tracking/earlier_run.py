"""A run that is to be there once: what earlier tries have left of it."""

from __future__ import annotations

from typing import Any


def earlier_run(client: Any, experiment: str, same: str) -> tuple[Any | None, Any | None]:
    """Of the runs that `same`, a filter of MLflow's, finds: one that is finished, and else the one that was begun last.

    Where answers of the server were lost, a try may have begun several: those that nobody will finish are deleted.
    """
    found = client.search_runs([experiment], filter_string=same)
    finished = next((run for run in found if run.info.status == "FINISHED"), None)
    begun = [run for run in found if run.info.status == "RUNNING"]
    last = begun.pop(0) if begun and finished is None else None
    for run in begun:
        client.delete_run(run.info.run_id)
    return finished, last
