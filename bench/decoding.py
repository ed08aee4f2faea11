"""Decoding plus framing against decoding alone, in one run: `python bench/decoding.py [--json]`.

2 million events of a 128x128 sensor, written as AEDAT 4 (LZ4) and EVT 3.0, framed into 16 time bins. Rounds alternate
and the best of each side counts.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from framing import SIDE, SPAN_US, STEPS, best_seconds

from spikinghash.events.reader import decode
from spikinghash.events.source import Source
from spikinghash.frames.accumulate import accumulate

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/unit/events"))
from event_writers import WRITERS

TARGET = 1.3
FORMATS = ("aedat4", "evt3")


def write(name: str, count: int) -> bytes:
    """A file of the format with `count` random events."""
    rng = np.random.default_rng(0)
    t = np.sort(rng.integers(0, SPAN_US, count))
    columns = (t, rng.integers(0, SIDE, count), rng.integers(0, SIDE, count), rng.integers(0, 2, count))
    # cameras write packets of some thousand events
    options = {"packet": 4_000} if name == "aedat4" else {}
    content: bytes = WRITERS[name](*columns, **options)
    return content


def measure(name: str, count: int, rounds: int) -> dict[str, Any]:
    """Seconds of each way and the ratio of decoding plus framing to decoding."""
    content = write(name, count)
    source = Source(Path(name), content)
    sensor = (SIDE, SIDE)
    jobs: dict[str, Callable[[], Any]] = {
        "decode": lambda: decode(source, sensor=sensor),
        "decode + frame": lambda: accumulate(decode(source, sensor=sensor), STEPS),
    }
    seconds = best_seconds(jobs, rounds)
    return {
        "seconds": {job: round(value, 4) for job, value in seconds.items()},
        "ratio": round(seconds["decode + frame"] / seconds["decode"], 3),
        "target": TARGET,
    }


def main() -> None:
    """Print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    results = {name: measure(name, arguments.events, arguments.rounds) for name in FORMATS}
    if arguments.json:
        print(json.dumps(results))
        return
    for name, found in results.items():
        seconds = ", ".join(f"{job} {value:.4f} s" for job, value in found["seconds"].items())
        print(f"{name}: {seconds}; decode + frame / decode = {found['ratio']} (target {TARGET})")


if __name__ == "__main__":
    main()
