"""Which flow runs when."""

from __future__ import annotations

from prefect import serve
from prefect.schedules import Cron
from prefect.types.entrypoint import EntrypointType

from pipelines.nightly import nightly
from pipelines.promote import promote
from pipelines.retrain import retrain

#: Sundays at 03:00 UTC.
RETRAIN_CRON = "0 3 * * 0"
#: Every night at 01:00 UTC.
NIGHTLY_CRON = "0 1 * * *"
#: Flows are imported as modules of the installed package, not run as files of the current directory.
_BY_NAME = EntrypointType.MODULE_PATH


def serve_all() -> None:
    """Register the schedules and run what comes due, one flow at a time; does not return."""
    weekly = retrain.to_deployment("weekly", schedules=[Cron(RETRAIN_CRON, timezone="UTC")], entrypoint_type=_BY_NAME)
    # schedules stay on when this process stops; missed runs are picked up when it is back
    hashing = nightly.to_deployment("nightly", schedules=[Cron(NIGHTLY_CRON, timezone="UTC")], entrypoint_type=_BY_NAME)
    # no schedule: a person starts it, with a version and a reason
    by_hand = promote.to_deployment("by-hand", entrypoint_type=_BY_NAME)
    serve(weekly, hashing, by_hand, limit=1, pause_on_shutdown=False)  # type: ignore[arg-type]
