"""Memory and speed of hashing one long recording: `python bench/long_recording.py [--json] [--seconds S]`.

An EVT 3 file of a 346 x 260 sensor at 1 million events a second is written second by second and hashed as
`spikinghash encode` does it: isolated decoder, windows of 50 ms, Nano of 64 bits, Delta table. Peak memory is that of
all processes above what they have when a recording of one second was hashed. An hour takes 9.4 GB of disk.
"""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from awake_network import awake, spec_of
from counted_run import counted_run
from tree_memory import PeakMemory

from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.encode_recordings import encode_recordings
from spikinghash.codes.encoder import Encoder
from spikinghash.data.described import event_field
from spikinghash.events.isolate import IsolatedDecoder
from spikinghash.frames.framing import Framing
from spikinghash.training.checkpoint import load_model, save_model

WIDTH, HEIGHT, PER_S = 346, 260, 1_000_000
FRAMING = Framing(4, windowing="window", window_us=50_000, downsample=8)
TARGET_MB = 1_000
#: A group of events of one time: its high and low part, then rows of so many events.
GROUP_US, ROWS, PER_ROW = 20, 4, 5
HEADER = f"% evt 3.0\n% format EVT3;height={HEIGHT};width={WIDTH}\n% geometry {WIDTH}x{HEIGHT}\n% end\n".encode()


def write_recording(path: Path, seconds: int) -> int:
    """Write the recording, with no more than a second of it in memory; the number of its events."""
    rng = np.random.default_rng(0)
    groups = 1_000_000 // GROUP_US
    words = np.zeros((groups, 2 + ROWS * (1 + PER_ROW)), "<u2")
    y = rng.integers(0, HEIGHT, (groups, ROWS))
    x = rng.integers(0, WIDTH, (groups, ROWS, PER_ROW))
    polarity = rng.integers(0, 2, x.shape) << 11
    assert groups * ROWS * PER_ROW == PER_S
    with path.open("wb") as file:
        file.write(HEADER)
        for second in range(seconds):
            t = second * 1_000_000 + np.arange(groups) * GROUP_US
            words[:, 0], words[:, 1] = 0x8000 | (t >> 12 & 0xFFF), 0x6000 | (t & 0xFFF)
            rows = words[:, 2:].reshape(groups, ROWS, 1 + PER_ROW)
            rows[:, :, 0] = (y + second) % HEIGHT
            rows[:, :, 1:] = 0x2000 | polarity | (x + 7 * second) % WIDTH
            words[:, 2:] = rows.reshape(groups, -1)
            file.write(words.tobytes())
    return seconds * PER_S


def make_model(folder: Path, framing: Framing, sensor: tuple[int, int]) -> Encoder:
    """A Nano of 64 bits for clips of that framing."""
    spec = spec_of("Nano")
    spec = replace(spec, inputs={"events": replace(spec.input, field=event_field(framing.meta(sensor)))})
    save_model(folder, spec, awake("Nano"), {})
    return Encoder(load_model(folder))


def measure(seconds: int, folder: Path) -> dict[str, Any]:
    """Rates, memory and the account of a recording of so many seconds."""
    short, long = folder / "short.raw", folder / "long.raw"
    write_recording(short, 1)
    started = time.perf_counter()
    events = write_recording(long, seconds)
    written = time.perf_counter() - started
    encoder = make_model(folder / "model", FRAMING, (WIDTH, HEIGHT))
    database = CodeDatabase.create_or_open(folder / "db")
    load = round(os.getloadavg()[0], 1)
    with IsolatedDecoder() as decoder:
        encode_recordings([short], encoder, database, decode=decoder.stream)
        with PeakMemory() as memory:
            report = encode_recordings([long], encoder, database, decode=decoder.stream)
    # windows of the length of the stride share no event and leave none, but for those after the last whole one
    whole = seconds * 1_000_000 - GROUP_US + 1
    clips = -(-whole // 50_000) if whole % 50_000 == 0 else whole // 50_000
    good = report.committed == 1 and report.clips == clips and report.events == clips * 50_000
    return {
        "seconds_recorded": seconds, "events": events, "file_gb": round(long.stat().st_size / 1e9, 3),
        "clips": report.clips, "cores": os.cpu_count(), "load_before": load, "write_s": round(written, 1),
        "hash_s": round(report.seconds, 1), "mev_per_s": round(events / report.seconds / 1e6, 2),
        "idle_mb": round(memory.idle / 1e6), "peak_above_idle_mb": round(memory.above / 1e6), "target_mb": TARGET_MB,
        "ok": good and memory.above < TARGET_MB * 1e6,
    }  # fmt: skip


def show(found: dict[str, Any]) -> None:
    """For a person."""
    print(
        f"{found['events'] / 1e6:.0f} million events ({found['file_gb']} GB) in {found['hash_s']} s: "
        f"{found['mev_per_s']} Mev/s, {found['peak_above_idle_mb']} MB above {found['idle_mb']} MB idle "
        f"(target {TARGET_MB}), {found['clips']} clips, {'good' if found['ok'] else 'NOT good'}"
    )


if __name__ == "__main__":
    counted_run("hashing a recording that does not fit into memory", "--seconds", 60, measure, show)
