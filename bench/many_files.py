"""Rate and memory over very many small files in one archive: `python bench/many_files.py [--json] [--files N]`.

A tar of N recordings of 300 events is written member by member and hashed as `spikinghash encode` does it. Nothing may
grow with the number of files: the last tenth of them is to be hashed at the rate of the first, within 15 %. Where other
work slows the machine down meanwhile, files per second of processor time say the same.
"""

from __future__ import annotations

import io
import os
import tarfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from counted_run import counted_run
from long_recording import make_model
from tree_memory import processor_seconds, resident_bytes

from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.encode_recordings import encode_recordings
from spikinghash.events import nmnist
from spikinghash.events.isolate import IsolatedDecoder
from spikinghash.events.validate import validate
from spikinghash.frames.framing import Framing

SIDE, EVENTS = 34, 300
FRAMING = Framing(4)
WITHIN = 0.15


def write_archive(path: Path, files: int) -> None:
    """Write a tar of so many different recordings."""
    rng = np.random.default_rng(0)
    with tarfile.open(path, "w") as archive:
        for number in range(files):
            t = np.sort(rng.integers(0, 300_000, EVENTS))
            x, y, p = rng.integers(0, SIDE, EVENTS), rng.integers(0, SIDE, EVENTS), rng.integers(0, 2, EVENTS)
            content = nmnist.to_bytes(validate(t, x, y, p, sensor=(SIDE, SIDE), format="nmnist"))
            member = tarfile.TarInfo(f"{number // 1000:04}/{number:07}.bin")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


class Marks:
    """Time and memory whenever a tenth of the files was looked at, and when the first ones were committed."""

    def __init__(self, files: int) -> None:
        self.tenth = max(1, files // 10)
        self.seconds: list[float] = []
        self.computed: list[float] = []
        self.resident: list[int] = []

    def __call__(self, done: int, total: int | None, refused: str) -> None:
        """As `codes.todo.Progress`."""
        if done == 2 or (done > 2 and done % self.tenth == 0):
            self.seconds.append(time.perf_counter())
            self.computed.append(processor_seconds())
            self.resident.append(resident_bytes())


def measure(files: int, folder: Path) -> dict[str, Any]:
    """Files a second of each tenth, and how memory grew from the first to the last."""
    write_archive(folder / "many.tar", files)
    encoder = make_model(folder / "model", FRAMING, (SIDE, SIDE))
    database = CodeDatabase.create_or_open(folder / "db")
    load = round(os.getloadavg()[0], 1)
    marks = Marks(files)
    with IsolatedDecoder() as decoder:
        decoder.start()
        report = encode_recordings([folder / "many.tar"], encoder, database, decode=decoder.stream, progress=marks)
    rates, computed = (tenths(marks.tenth, times) for times in (marks.seconds, marks.computed))
    ratio, computed_ratio = rates[-1] / rates[0], computed[-1] / computed[0]
    return {
        "files": files, "committed": report.committed, "cores": os.cpu_count(), "load_before": load,
        "files_per_s": round(files / report.seconds, 1), "last_to_first": round(ratio, 3),
        "last_to_first_in_processor_time": round(computed_ratio, 3), "within": WITHIN, "tenths": rates,
        "tenths_in_processor_time": computed, "resident_mb": [round(size / 1e6) for size in marks.resident],
        "ok": report.committed == files and max(ratio, computed_ratio) >= 1 - WITHIN,
    }  # fmt: skip


def tenths(files: int, times: list[float]) -> list[float]:
    """Files per second between one time and the next."""
    # processor time is told in hundredths
    return [round(files / max(float(seconds), 0.01), 1) for seconds in np.diff(times)]


def show(found: dict[str, Any]) -> None:
    """For a person."""
    for name, value in found.items():
        print(f"{name:32} {value}")


if __name__ == "__main__":
    counted_run("hashing very many small files in one archive", "--files", 5_000, measure, show)
