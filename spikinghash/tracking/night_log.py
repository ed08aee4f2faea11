"""Nights in MLflow, each once: what could not be logged waits as a report in its folder for a later night."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from spikinghash.files import write_atomically
from spikinghash.tracking.earlier_run import earlier_run
from spikinghash.tracking.night_numbers import night_numbers
from spikinghash.tracking.registry_errors import registry_errors
from spikinghash.tracking.run import attach, client_for
from spikinghash.tracking.store_place import experiment_id

#: Beside a report that is in MLflow.
LOGGED = ".logged"
_TIME = re.compile(r"night-(\d{4}-\d\d-\d\dT)(\d\d)(\d\d)(\d\d)Z")


def log_nights(uri: str, experiment: str, reports: Path) -> int:
    """Log all `night-*.json` of a folder that are not in MLflow yet, the oldest first; how many.

    A run that was broken off is finished, and what is there is not logged again. Raises `Temporary` for a server that
    does not answer, `SpikinghashError` for one that refuses; what was logged until then stays logged.
    """
    # a killed night leaves an empty report, which a later one does not fill
    there = [path for path in sorted(reports.glob("night-*.json")) if path.stat().st_size]
    waiting = [path for path in there if not path.with_suffix(LOGGED).exists()]
    if not waiting:
        return 0
    client = client_for(uri, create=True)
    with registry_errors(uri):
        place = experiment_id(client, uri, experiment)
        for path in waiting:
            _log_once(client, place, path)
            write_atomically(path.with_suffix(LOGGED), b"")
    return len(waiting)


def _log_once(client: Any, place: str, report: Path) -> None:
    from mlflow.entities import Metric

    name = _name(report)
    finished, begun = earlier_run(client, place, f"attributes.run_name = '{name}'")
    if finished is not None:
        return
    run = begun or client.create_run(place, run_name=name)
    numbers = night_numbers(json.loads(report.read_bytes()))
    # the same numbers at the same time are the same entries, should they be there already
    stamp = int(run.info.start_time)
    client.log_batch(run.info.run_id, metrics=[Metric(key, value, stamp, 0) for key, value in numbers.items()])
    for path in (report, report.with_suffix(".md")):
        if path.exists():
            attach(client, run.info.run_id, path, None)
    client.set_terminated(run.info.run_id)


def _name(report: Path) -> str:
    """When the night began; the file's name where it says so in another way."""
    match = _TIME.fullmatch(report.stem)
    return "{}{}:{}:{}".format(*match.groups()) if match else report.stem
