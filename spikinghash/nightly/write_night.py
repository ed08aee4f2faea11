"""The report of one night: gathered from the database and from earlier nights, and written beside theirs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spikinghash.codes.codeset import CodeSet
from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.table_size import TableSize, table_size
from spikinghash.files import new_file, write_atomically, write_json
from spikinghash.night_params import NightParams
from spikinghash.nightly.earlier_nights import night_before, week_ago
from spikinghash.nightly.growth import growth
from spikinghash.nightly.pinned_recall import pinned_recall
from spikinghash.nightly.shadow_overlap import shadow_overlap
from spikinghash.remote_store import is_address
from spikinghash.report.night import Night, bits_of, night_report
from spikinghash.report.night_text import night_text
from spikinghash.report.verdict import Bounds


@dataclass(frozen=True)
class Done:
    """What the steps of a night said: the database and the digest of the model, when it began, the share of ones per
    bit in training where the model says so, the size of the table before, and parts of the report as they are.
    """

    db: str
    digest: str
    start: datetime
    encode: dict[str, Any]
    fsck: dict[str, Any]
    before: TableSize
    trained: list[float] | None = None
    landed: dict[str, Any] | None = None
    shadow: dict[str, Any] | None = None
    moved: dict[str, Any] | None = None
    growing: list[str] = field(default_factory=list)


def write_night(reports: Path, done: Done, params: NightParams) -> Path:
    """Leave `night-<time>.json` and `.md` in `reports`, never over those of another night; the path of the JSON."""
    database, now = CodeDatabase.open(done.db), datetime.now(UTC)
    codes = database.load(done.digest) if done.digest in database.models() else None
    fresh = None if codes is None else database.committed_since(done.digest, done.start, codes.clip_ids)
    last = night_before(reports, done.start, database.shown)
    still = set() if last is None else set(last.report["growing"])
    night = Night(
        db=database.shown, model=done.digest, encode=done.encode, fsck=done.fsck, landed=done.landed, moved=done.moved,
        refused=_refused_since(database.quarantined(done.digest), done.start),
        growth=growth(done.before, table_size(done.db), week_ago(reports, done.start, database.shown)),
        pinned=_pinned(reports, database, done, codes, params.pinned, now),
        shadow=_shadow(database, done, codes),
        growing=done.growing, stayed=[path for path in done.growing if path in still],
    )  # fmt: skip
    bounds = Bounds(params.refused_share, params.drift, params.recall)
    ones = None if done.trained is None else np.array(done.trained)
    report = night_report(night, bounds, codes, fresh, ones)
    path = new_file(reports, f"night-{done.start:%Y-%m-%dT%H%M%SZ}", ".json")
    write_json(path, report)
    write_atomically(path.with_suffix(".md"), night_text(report).encode())
    return path


def _pinned(
    reports: Path, database: CodeDatabase, done: Done, codes: CodeSet | None, wanted: int, now: datetime
) -> dict[str, Any] | None:
    if codes is None:
        return None
    earlier = week_ago(reports, done.start, database.shown, done.digest)
    index = None if is_address(done.db) else Path(done.db) / "index" / done.digest
    return pinned_recall(reports, database, codes, index, earlier, wanted, now)


def _shadow(database: CodeDatabase, done: Done, codes: CodeSet | None) -> dict[str, Any] | None:
    """What the shadow did, its bits, and whether it finds the same."""
    shadow = done.shadow
    if shadow is None or shadow["problem"] is not None:
        return shadow
    there = shadow["model"] in database.models()
    bits = bits_of(database.load(shadow["model"]).codes) if there else None
    overlap = None if codes is None else shadow_overlap(database, codes, shadow["model"], done.start)
    return shadow | {"bits": bits, "overlap": None} | (overlap or {})


def _refused_since(rows: pa.Table, start: datetime) -> list[dict[str, Any]]:
    tonight = rows.filter(pc.field("seen_at") >= pa.scalar(start, pa.timestamp("us", "UTC")))
    return sorted(tonight.to_pylist(), key=lambda row: str(row["path"]))
