"""What a data set says about one of its recordings before anyone opens the file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

#: Splits a recording can belong to.


@dataclass(frozen=True)
class Recording:
    """One recording of a data set.

    `recording_id` is the POSIX path relative to the data set's root, `sensor` is (width, height) in pixels if the
    data set states it, `split` is one of `SPLITS`. `start_us` and `end_us`, both inclusive, bound the part to use;
    None means the first and the last event.
    """

    recording_id: str
    path: Path
    label: str | None = None
    split: str | None = None
    sensor: tuple[int, int] | None = None
    start_us: int | None = None
    end_us: int | None = None
