"""Archives of random codes that came at known times."""

import hashlib
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.schema import CODE_ROWS

START = datetime(2026, 11, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
COLUMNS = (
    "clip_id", "recording", "recording_sha256", "start_us", "end_us", "code", "model", "frames", "encoded_at",
)  # fmt: skip


def digest(number):
    return hashlib.sha256(str(number).encode()).hexdigest()


def some_codes(count, seed=0, bits=6):
    """Codes uint8 [count, 2] in which few bits vary: many ties."""
    codes = np.unpackbits(np.random.default_rng(seed).integers(0, 256, (count, 2), dtype=np.uint8), axis=1)
    codes[:, bits:] = 0
    return np.packbits(codes, axis=1)


def rows(numbers, codes, at, model="a" * 64):
    """One clip each of the recordings `numbers`, hashed at a time."""
    n = len(numbers)
    return pa.table(
        {
            "clip_id": [f"{digest(i)}@0-5" for i in numbers], "recording": [f"r{i}.bin" for i in numbers],
            "recording_sha256": [digest(i) for i in numbers], "start_us": [0] * n, "end_us": [5] * n,
            "code": [bytes(codes[i]) for i in numbers], "model": [model] * n, "frames": ["f"] * n,
            "encoded_at": pa.array([at] * n, pa.timestamp("us", "UTC")),
        },
        schema=pa.schema([CODE_ROWS.field(name) for name in COLUMNS]),
    )  # fmt: skip


def archive(folder, *parts):
    """A database of (numbers, codes, time) each committed alone."""
    database = CodeDatabase.create_or_open(folder)
    for part in parts:
        database.append(rows(*part))
    return database
