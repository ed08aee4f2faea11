"""What a data set says about one of its recordings before anyone opens the file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from spikinghash.events.options import DEFAULTS, ReadOptions


@dataclass(frozen=True)
class Recording:
    """One recording of a data set.

    `recording_id` is the POSIX path relative to the data set's root; where several recordings are intervals of one
    file, `file_id` is that path and `recording_id` is `file_id@start-end`. `sensor` is (width, height) in pixels if the
    data set states it, `split` is one of `SPLITS`. `start_us` and `end_us`, both inclusive, bound the part to use; None
    means the first and the last event. `options` says how the file is to be read.
    """

    recording_id: str
    path: Path
    label: str | None = None
    split: str | None = None
    sensor: tuple[int, int] | None = None
    start_us: int | None = None
    end_us: int | None = None
    file_id: str | None = None
    options: ReadOptions = DEFAULTS

    @property
    def is_interval(self) -> bool:
        """Whether this is a part of its file."""
        return self.start_us is not None or self.end_us is not None

    @property
    def file(self) -> str:
        """Id of the file it lies in."""
        return self.recording_id if self.file_id is None else self.file_id

    def interval(self, start_us: int, end_us: int) -> Recording:
        """The part start_us..end_us, both inclusive, as a recording of its own."""
        name = f"{self.recording_id}@{start_us}-{end_us}"
        return replace(self, recording_id=name, file_id=self.file, start_us=start_us, end_us=end_us)
