"""When flows run: cron lines in a time zone, checked at the door."""

from __future__ import annotations

import re
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator

from spikinghash.param_section import Section

#: minute, hour, day of the month, month, day of the week: numbers, names of days and months, `*`, lists, ranges, steps.
_FIELD = r"[0-9A-Za-z*,/#-]+"
_CRON = re.compile(rf"{_FIELD}( +{_FIELD}){{4}}")


def _cron(line: str) -> str:
    if not _CRON.fullmatch(line.strip()):
        raise ValueError("a schedule is five fields: minute, hour, day of the month, month, day of the week")
    return line.strip()


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("a time zone has a name such as Europe/Berlin or UTC") from None
    return name


class ScheduleParams(Section):
    """`nightly` and `retrain` as cron lines in `timezone`, None for a flow that only a person starts.

    A retrain that comes due while another one runs waits up to `wait_s`. Nights also hash with the model `shadow`, a
    reference such as `models:/spikinghash@challenger`; None for none.
    """

    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"
    nightly: Annotated[str, AfterValidator(_cron)] | None = "0 1 * * *"
    retrain: Annotated[str, AfterValidator(_cron)] | None = "0 3 * * 0"
    wait_s: float = 0.0
    shadow: str | None = None
