"""A cold `spikinghash search` in a database of 10 million codes: `python bench/cold_search.py [--json]`.

A database of random 64-bit codes with the names of 10 million clips is written and indexed once. Then the command runs
as a person would run it, as a process of its own, after the kernel was told to forget the files of the index. The
slowest of several runs counts.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from bulk import find_files, make_model
from deltalake import write_deltalake

from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.schema import CODE_ROWS, conform
from spikinghash.training.checkpoint import load_model

TARGET_S = 5.0
#: Rows written at a time.
PART = 500_000
SPIKINGHASH = [sys.executable, "-m", "spikinghash"]


def part_of(model: str, frames: str, first: int, count: int) -> pa.Table:
    """Rows `first` to `first` + `count` - 1, columns of `CODE_ROWS`: three clips a recording."""
    rng = np.random.default_rng(first)
    names = [hashlib.sha256(b"%d" % (i // 3)).hexdigest() for i in range(first, first + count)]
    start = np.arange(first, first + count) % 3 * 300_000
    table = pa.table(
        {
            "clip_id": [f"{name}@{at}-{at + 300_000}" for name, at in zip(names, start.tolist(), strict=True)],
            "recording": [f"archive/{i // 90_000:04}/{i // 3:09}.bin" for i in range(first, first + count)],
            "recording_sha256": names,
            "start_us": start,
            "end_us": start + 300_000,
            "code": pa.Array.from_buffers(
                pa.binary(8), count, [None, pa.py_buffer(rng.bytes(8 * count))]
            ).cast(pa.binary()),
            "model": pa.repeat(model, count),
            "frames": pa.repeat(frames, count),
            "encoded_at": pa.repeat(pa.scalar(datetime.datetime.now(datetime.UTC)), count),
        }
    )  # fmt: skip
    return conform(table, CODE_ROWS)


def run(*arguments: str | Path) -> tuple[dict[str, Any], float]:
    """JSON that the command prints, and its seconds."""
    started = time.monotonic()
    done = subprocess.run([*SPIKINGHASH, *map(str, arguments), "--json"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout), time.monotonic() - started


def forget(folder: Path) -> None:
    """Ask the kernel to drop what it keeps of the files in a folder."""
    os.sync()
    for path in folder.rglob("*"):
        if path.is_file():
            handle = os.open(path, os.O_RDONLY)
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(handle)


def measure(folder: Path, rows: int, rounds: int) -> dict[str, Any]:
    """Seconds of every cold search and of building the index."""
    files, _ = find_files(8, folder / "files")
    make_model(folder / "model", files)
    model = load_model(folder / "model")
    database = CodeDatabase.create_or_open(folder / "db")
    for first in range(0, rows, PART):
        part = part_of(model.digest, model.spec.input.digest, first, min(PART, rows - first))
        write_deltalake(f"{database.uri}/codes", part, mode="append")
    _, indexing = run("index", "--db", database.uri)
    seconds = []
    for _ in range(rounds):
        forget(folder / "db")
        answer, took = run("search", files[0], "--db", database.uri, "--model", folder / "model", "--k", "10")
        assert len(answer["results"]) == 10
        seconds.append(round(took, 2))
    size = sum(path.stat().st_size for path in (folder / "db/index").rglob("*") if path.is_file())
    return {
        "rows": rows, "seconds": seconds, "index_seconds": round(indexing, 1), "index_mb": round(size / 1e6),
        "target_s": TARGET_S, "ok": max(seconds) < TARGET_S,
    }  # fmt: skip


def main() -> None:
    """Print one line, or one JSON document with `--json`."""
    parser = argparse.ArgumentParser(description="a cold search in a large database")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), asked.rows, asked.rounds)
    if asked.json:
        print(json.dumps(found))
        return
    print(
        f"cold search among {found['rows']} codes: {found['seconds']} s, the slowest counts (target under "
        f"{TARGET_S:.0f}); index of {found['index_mb']} MB built in {found['index_seconds']} s"
    )


if __name__ == "__main__":
    main()
