"""Exact Hamming search against FAISS `IndexBinaryFlat`, measured side by side: `python bench/search.py [--json]`.

Both find the 100 nearest of a million random codes for 1,000 queries with the same number of threads. Rounds alternate
and the best of each side counts. A child process then searches 10 million codes and says how much memory it took.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from typing import Any

import faiss
import numba
import numpy as np
from framing import best_seconds

from spikinghash.index.nearest_codes import nearest_codes

#: bits of a code -> how many times FAISS's queries per second
TARGETS = {64: 3.0, 256: 1.0}
MEMORY_TARGET = 1.3

MEMORY = """
import sys
from pathlib import Path
import numpy as np
from spikinghash.index.nearest_codes import nearest_codes

def status(name):
    return next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if name in line)

rows, queries, k = map(int, sys.argv[1:])
rng = np.random.default_rng(0)
asked = rng.integers(0, 256, (queries, 8), dtype=np.uint8)
nearest_codes(asked, rng.integers(0, 256, (2 * k, 8), dtype=np.uint8), k)  # code is loaded, threads are started
Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
before = status("VmRSS")
codes = rng.integers(0, 256, (rows, 8), dtype=np.uint8)
nearest_codes(asked, codes, k)
print((status("VmHWM") - before) * 1024 / codes.nbytes)
"""


def measure(bits: int, count: int, queries: int, k: int, rounds: int) -> dict[str, Any]:
    """Queries per second of both sides, their ratio, and whether all distances are the same."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 256, (count, bits // 8), dtype=np.uint8)
    asked = rng.integers(0, 256, (queries, bits // 8), dtype=np.uint8)
    flat = faiss.IndexBinaryFlat(bits)
    flat.add(codes)
    same = bool((nearest_codes(asked, codes, k).distances == flat.search(asked, k)[0]).all())
    jobs = {"spikinghash": lambda: nearest_codes(asked, codes, k), "faiss": lambda: flat.search(asked, k)}
    seconds = best_seconds(jobs, rounds)
    ratio = seconds["faiss"] / seconds["spikinghash"]
    return {
        "bits": bits, "codes": count, "queries": queries, "k": k, "rounds": rounds,
        "queries_per_s": {name: round(queries / value) for name, value in seconds.items()}, "equal_distances": same,
        "ratio": round(ratio, 2), "target": TARGETS[bits], "ok": same and ratio >= TARGETS[bits],
    }  # fmt: skip


def memory(count: int, queries: int, k: int) -> dict[str, Any]:
    """Peak memory of a process that holds and searches 64-bit codes, over what they take raw; Linux only."""
    command = [sys.executable, "-c", MEMORY, *map(str, (count, queries, k))]
    found = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return {
        "codes": count, "bits": 64, "raw_mb": count * 8 / 1e6,
        "ratio": round(found, 3), "target": MEMORY_TARGET, "ok": found <= MEMORY_TARGET,
    }  # fmt: skip


def main() -> None:
    """Print one line a measurement, or one JSON document with `--json`."""
    parser = argparse.ArgumentParser(description="exact Hamming search against FAISS IndexBinaryFlat")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--codes", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=1_000)
    parser.add_argument("--k", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=numba.get_num_threads())
    asked = parser.parse_args()
    numba.set_num_threads(asked.threads)
    faiss.omp_set_num_threads(asked.threads)
    speed = [measure(bits, asked.codes, asked.queries, asked.k, asked.rounds) for bits in TARGETS]
    room = memory(10 * asked.codes, asked.queries, asked.k)
    ok = room["ok"] and all(found["ok"] for found in speed)
    if asked.json:
        print(json.dumps({"threads": asked.threads, "speed": speed, "memory": room, "ok": ok}))
        return
    for found in speed:
        for name, rate in found["queries_per_s"].items():
            print(f"{name:12} {found['bits']:4} bits {rate:8} queries/s")
        print(
            f"spikinghash / FAISS at {found['bits']} bits, {asked.threads} threads = {found['ratio']} "
            f"(target {found['target']:.0f}), equal distances: {found['equal_distances']}"
        )
    print(f"memory of {room['codes']} 64-bit codes / raw size = {room['ratio']} (target at most {room['target']})")


if __name__ == "__main__":
    main()
