"""Rows that cannot be right: a clip that is there twice, a code of another width, an id that is not its recording's."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from spikinghash.codes.schema import CODE_ROWS

#: What the check looks at.
CHECKED = pa.schema(
    [
        CODE_ROWS.field(name)
        for name in ("clip_id", "model", "recording", "recording_sha256", "start_us", "end_us", "code")
    ]
)
#: A clip of an archive is named by its recording's contents and its times; a picture by its contents alone.
_BY_CONTENTS = re.compile(r"^([0-9a-f]{64})(?:@|$)")
_TIMES = re.compile(r"@(-?\d+)-(-?\d+)(?:#\d+)?$")
#: A recording hashed by a model.
Hashing = tuple[str, str]


@dataclass
class RowFaults:
    """What is wrong with the rows of several tables.

    `again` are rows, by (table, row), beyond the first of a clip and model that say the same; `doubtful` the
    recordings (SHA-256, model) of which a row is damaged or two rows contradict each other, and nobody knows which is
    right. `doubled` counts rows beyond the first of their clip and model, `damaged` the damaged ones.
    """

    again: set[tuple[int, int]] = field(default_factory=set)
    doubtful: set[Hashing] = field(default_factory=set)
    doubled: int = 0
    damaged: int = 0
    recordings: set[Hashing] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)


def check_rows(tables: Sequence[pa.Table], model: str | None = None) -> RowFaults:
    """Look at every row of `tables` (columns of `CHECKED`), or at those of one model."""
    faults = RowFaults()
    widths = _widths(tables)
    seen: dict[tuple[str, str], tuple[bytes, str]] = {}
    for number, table in enumerate(tables):
        columns = [table.column(name).to_pylist() for name in CHECKED.names]
        for row, (clip_id, digest, _, sha256, start_us, end_us, code) in enumerate(zip(*columns, strict=True)):
            if model is not None and digest != model:
                continue
            faults.recordings.add((sha256, digest))
            problem = _code_fault(code, widths[digest]) or clip_id_fault(clip_id, sha256, start_us, end_us)
            if problem:
                faults.damaged += 1
                faults.doubtful.add((sha256, digest))
                faults.problems.append(f"clip {clip_id} of model {digest} {problem}")
            if (clip_id, digest) not in seen:
                seen[clip_id, digest] = code, sha256
                continue
            faults.doubled += 1
            first_code, first_sha256 = seen[clip_id, digest]
            same = first_code == code
            faults.problems.append(
                f"clip {clip_id} of model {digest} is there more than once" + ("" if same else ", with different codes")
            )
            if same:
                faults.again.add((number, row))
            else:
                faults.doubtful |= {(sha256, digest), (first_sha256, digest)}
    return faults


def _widths(tables: Sequence[pa.Table]) -> dict[str, int]:
    """Bytes that most codes of each model have."""
    counts: dict[str, Counter[int]] = {}
    for table in tables:
        for digest, code in zip(table.column("model").to_pylist(), table.column("code").to_pylist(), strict=True):
            counts.setdefault(digest, Counter())[len(code)] += 1
    return {digest: count.most_common(1)[0][0] for digest, count in counts.items()}


def _code_fault(code: bytes, width: int) -> str | None:
    if not code or len(code) != width:
        return f"has a code of {len(code)} bytes"
    return None


def clip_id_fault(clip_id: str, sha256: str, start_us: int, end_us: int) -> str | None:
    """What contradicts the id of a clip: the recording's SHA-256, where it is named by that, or its times."""
    named = _BY_CONTENTS.match(clip_id)
    if named and named[1] != sha256:
        return f"is said to be of the recording {sha256}"
    times = _TIMES.search(clip_id)
    # the one clip of a picture is at 0..0 whatever its name
    if times and (start_us, end_us) != (0, 0) and (int(times[1]), int(times[2])) != (start_us, end_us):
        return f"is said to be at {start_us}-{end_us} us"
    return None
