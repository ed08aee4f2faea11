"""What a bulk job still has to do: inputs that are neither committed nor refused for good."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.encode_report import EncodeReport
from spikinghash.codes.inputs import Input, Opened, open_inputs
from spikinghash.codes.new_rows import Refused
from spikinghash.codes.refusals import Refusals
from spikinghash.codes.signals import Stop
from spikinghash.errors import BadRecording

#: Called with how many are done, how many there are, None where that is not known, and what was refused so far.
Progress = Callable[[int, int | None, str], None]


class Todo:
    """The new ones among `files`, one after another; the others are counted in `report`. It writes nothing."""

    def __init__(
        self, files: Sequence[Path], model: str, database: CodeDatabase, stop: Stop, progress: Progress | None
    ) -> None:
        self.files, self.left = files, len(files)
        self.stop, self.progress = stop, progress
        self.report = EncodeReport()
        #: SHA-256 of the recordings of which codes are there, or wait to be committed.
        self.done = database.committed_recordings(model)
        self.refusals = Refusals(database.quarantined(model))
        #: Paths of further copies of recordings that are being hashed, by SHA-256: they share the fate of the first.
        self.copies: dict[str, list[str]] = {}
        self._closed: list[Refused] = []

    def __iter__(self) -> Iterator[Opened]:
        total: int | None = len(self.files)
        for item in self._inputs():
            self.report.found += 1
            total = None if item.archive else total
            if self.progress is not None:
                self.progress(self.report.found, total, self.report.refusals)
            if isinstance(item.source, BadRecording):
                self._closed.append(Refused(item.path, None, item.source))
            elif self._is_new(item.path, item.source.sha256):
                yield Opened(item.path, item.archive, item.source)

    def take_closed(self) -> list[Refused]:
        """The inputs that could not be opened since the last call."""
        closed, self._closed = self._closed, []
        return closed

    def _is_new(self, path: str, sha256: str) -> bool:
        if sha256 in self.done:
            self.report.skipped += 1
        elif (refusal := self.refusals.find(sha256, path)) is not None and refusal.final:
            self.report.quarantined += 1
            self.report.reasons[refusal.reason] += 1
        elif sha256 in self.copies:
            self.copies[sha256].append(path)
        else:
            self.copies[sha256] = []
            return True
        return False

    def _inputs(self) -> Iterator[Input]:
        for path in self.files:
            items, counted = open_inputs([path]), False
            while True:
                with self.stop.interruptible():
                    item = next(items, None)
                if item is None:
                    break
                if item.archive is None:
                    counted, self.left = True, self.left - 1
                yield item
            self.left -= not counted
