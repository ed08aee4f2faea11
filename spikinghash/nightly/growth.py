"""How much an archive grew: in this night, and in the week before."""

from __future__ import annotations

from typing import Any

from spikinghash.codes.table_size import TableSize
from spikinghash.nightly.earlier_nights import EarlierNight


def growth(before: TableSize, after: TableSize, earlier: EarlierNight | None) -> dict[str, Any]:
    """JSON for the night report: codes of all models and bytes of the table `before` and `after` this night, and at the
    end of the night `earlier`, None where none is that old.

    Bytes also change where small files are joined; what no version needs any more is not counted.
    """
    then = None if earlier is None else earlier.report.get("growth")
    week = then["after"] if isinstance(then, dict) and earlier is not None else None
    since = None if week is None or earlier is None else earlier.began.isoformat()
    return {"before": before.to_json(), "after": after.to_json(), "week_ago": week, "week_ago_began": since}
