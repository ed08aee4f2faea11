"""The reports of earlier nights over the same database: what tonight is compared with."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

#: How long ago a night must be for tonight to be compared with it.
WEEK = timedelta(days=7)
_NAME = re.compile(r"night-(\d{4}-\d\d-\d\dT\d{6})Z(?:-(\d+))?")


@dataclass(frozen=True)
class EarlierNight:
    """When a night began, and its report as plain values."""

    began: datetime
    report: dict[str, Any]


def night_before(reports: Path, start: datetime, db: str) -> EarlierNight | None:
    """The newest night before `start` over the database shown as `db`, None for the first one."""
    return next(_newest_first(reports, start, db), None)


def week_ago(reports: Path, start: datetime, db: str, model: str | None = None) -> EarlierNight | None:
    """The newest night that is at least a week old; with `model` of that model, by its digest. None for no such."""
    nights = _newest_first(reports, start - WEEK, db)
    return next((night for night in nights if model in (None, night.report.get("model"))), None)


def _newest_first(reports: Path, before: datetime, db: str) -> Iterator[EarlierNight]:
    found = []
    for path in reports.glob("night-*.json"):
        match = _NAME.fullmatch(path.stem)
        if match is not None:
            began = datetime.strptime(match[1], "%Y-%m-%dT%H%M%S").replace(tzinfo=UTC)
            found.append((began, int(match[2] or 1), path))
    for began, _, path in sorted(found, reverse=True):
        # names have whole seconds; what this night wrote in an earlier try is no earlier night
        if began < before.replace(microsecond=0) and (report := _read(path)) is not None and report["db"] == db:
            yield EarlierNight(began, report)


def _read(path: Path) -> dict[str, Any] | None:
    """A report; None for what a killed night left empty, and of older programs, which did not name the database."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) and "db" in content else None
