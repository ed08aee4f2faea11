"""Which flow runs when."""

from __future__ import annotations

from prefect import serve
from prefect.deployments.runner import RunnerDeployment
from prefect.schedules import Cron, Schedule
from prefect.types.entrypoint import EntrypointType

from pipelines.nightly import nightly
from pipelines.promote import promote
from pipelines.retrain import retrain
from spikinghash.schedule_params import ScheduleParams

#: Flows are imported as modules of the installed package, not run as files of the current directory.
_BY_NAME = EntrypointType.MODULE_PATH
#: A night or a promotion does not wait for a training; what must not meet waits for a lock (`run_lock.py`).
_AT_ONCE = 3


def schedules_of(line: str | None, timezone: str) -> list[Schedule]:
    """The schedule of a cron line, none for a flow that only a person starts."""
    return [] if line is None else [Cron(line, timezone=timezone)]


def deployments_of(when: ScheduleParams, tracking: str) -> list[RunnerDeployment]:
    """The flows with their schedules and parameters; nights are logged in the MLflow store `tracking`."""
    weekly = retrain.to_deployment(
        "weekly", schedules=schedules_of(when.retrain, when.timezone), parameters={"wait_s": when.wait_s},
        entrypoint_type=_BY_NAME,
    )  # fmt: skip
    hashing = nightly.to_deployment(
        "nightly", schedules=schedules_of(when.nightly, when.timezone),
        parameters={"shadow": when.shadow, "tracking": tracking}, entrypoint_type=_BY_NAME,
    )  # fmt: skip
    # no schedule: a person starts it, with a version and a reason
    by_hand = promote.to_deployment("by-hand", entrypoint_type=_BY_NAME)
    return [weekly, hashing, by_hand]  # type: ignore[list-item]


def serve_all(when: ScheduleParams, tracking: str) -> None:
    """Register the schedules and run what comes due, a training, a night and a promotion at once; does not return."""
    # schedules stay on when this process stops; missed runs are picked up when it is back
    serve(*deployments_of(when, tracking), limit=_AT_ONCE, pause_on_shutdown=False)
