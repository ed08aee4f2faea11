"""Speed of framing against tonic's `ToFrame`, measured side by side: `python bench/framing.py [--json]`.

Both frame the same 2 million events of a 128x128 sensor into 16 time bins and two polarities. Rounds alternate and the
best of each side counts, so that other work on the machine hits both alike.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from tonic.transforms import ToFrame

from spikinghash.events.events import Events
from spikinghash.events.validate import validate
from spikinghash.frames.framing import Framing
from spikinghash.frames.represent import represent

SIDE, STEPS, SPAN_US = 128, 16, 1_600_000
TARGET = 20.0


def make(count: int) -> tuple[Events, Any]:
    """The same random events for us and as tonic's structured array."""
    rng = np.random.default_rng(0)
    t = np.sort(rng.integers(0, SPAN_US, count))
    t[0], t[-1] = 0, SPAN_US - 1
    x, y, p = rng.integers(0, SIDE, count), rng.integers(0, SIDE, count), rng.integers(0, 2, count)
    table = np.empty(count, dtype=[("x", np.int16), ("y", np.int16), ("t", np.int64), ("p", bool)])
    for name, column in zip("xytp", (x, y, t, p), strict=True):
        table[name] = column
    return validate(t, x, y, p, sensor=(SIDE, SIDE), format="bench"), table


def best_seconds(jobs: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Shortest time of each job over alternating rounds, after one round that is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(rounds + 1):
        for name, job in jobs.items():
            started = time.perf_counter()
            job()
            seconds[name].append(time.perf_counter() - started)
    return {name: min(times[1:]) for name, times in seconds.items()}


def measure(count: int, rounds: int) -> dict[str, Any]:
    """Events per second of all representations and of tonic, and the ratio for counts."""
    events, table = make(count)
    to_frame = ToFrame(sensor_size=(SIDE, SIDE, 2), time_window=SPAN_US / STEPS, include_incomplete=True)
    framings = {
        "counts": Framing(STEPS),
        "binary": Framing(STEPS, representation="binary"),
        "voxel": Framing(STEPS, dtype="float32", representation="voxel"),
        "counts, downsample 4": Framing(STEPS, downsample=4, dtype="uint16"),
    }
    ours = {name: lambda framing=framing: represent(events, framing) for name, framing in framings.items()}
    same = bool((represent(events, framings["counts"]).counts == to_frame(table)).all())
    seconds = best_seconds(ours | {"tonic": lambda: to_frame(table)}, rounds)
    rates = {name: round(count / value) for name, value in seconds.items()}
    ratio = seconds["tonic"] / seconds["counts"]
    return {
        "events": count, "sensor": [SIDE, SIDE], "steps": STEPS, "rounds": rounds, "events_per_s": rates,
        "equal_to_tonic": same, "ratio_to_tonic": round(ratio, 1), "target": TARGET, "ok": same and ratio >= TARGET,
    }  # fmt: skip


def main() -> None:
    """Print one line a side, or one JSON document with `--json`."""
    parser = argparse.ArgumentParser(description="framing speed against tonic's ToFrame")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    found = measure(asked.events, asked.rounds)
    if asked.json:
        print(json.dumps(found))
        return
    for name, rate in found["events_per_s"].items():
        print(f"{name:22} {rate / 1e6:8.1f} million events/s")
    print(f"counts / tonic = {found['ratio_to_tonic']} (target {TARGET:.0f}), equal frames: {found['equal_to_tonic']}")


if __name__ == "__main__":
    main()
