"""Speed of bulk hashing, file to committed code, against a plain loop: `python bench/bulk.py [--json] [--files N]`.

The peer reads one file at a time with tonic's `read_mnist_file`, frames it with tonic's `ToFrame` and hashes it with
the same network on SpikingJelly's layers (`bench/eager_spikinghash.py`), with the number of threads that suits it best.
Ours is `encode_recordings` with its isolated decoder and its Delta table. Real N-MNIST files where they are, else the
same number of filmed digits.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from awake_network import awake, spec_of
from counted_run import counted_run
from eager_spikinghash import EagerSpikinghash
from spikingjelly.activation_based import functional
from tonic.io import read_mnist_file
from tonic.transforms import ToFrame

from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.encode_recordings import encode_recordings
from spikinghash.codes.encoder import Encoder
from spikinghash.data.described import event_field
from spikinghash.datasets.digits import synthesize_digits
from spikinghash.events.camera import CameraParams
from spikinghash.events.isolate import IsolatedDecoder
from spikinghash.events.reader import decode
from spikinghash.events.source import open_source
from spikinghash.frames.crop_or_pad import crop_or_pad
from spikinghash.frames.framing import Framing
from spikinghash.frames.represent import represent
from spikinghash.layers.exact_weights import snap_to_grid
from spikinghash.methods.spikinghash import SIZES
from spikinghash.training.checkpoint import load_model, save_model

REAL = Path(__file__).parents[2] / "shared/data/events/nmnist_small/bs2"
SENSOR, STEPS, SIZE = (34, 34), 4, "Nano"
TARGET = 5.0
_EVENT = np.dtype([("x", int), ("y", int), ("t", int), ("p", int)])


def find_files(count: int, folder: Path) -> tuple[list[Path], bool]:
    """N-MNIST files and whether they are real."""
    real = sorted(REAL.glob("*.bs2"))[:count]
    if len(real) == count:
        return real, True
    synthesize_digits(folder, seed=0, camera=CameraParams(), limit=count)
    return sorted(folder.rglob("*.bin"))[:count], False


@torch.no_grad()
def make_model(folder: Path, files: list[Path]) -> None:
    """A Nano of 64 bits whose norms have seen some of the files, so that its layers fire on them."""
    meta = Framing(STEPS).meta(SENSOR)
    spec = spec_of(SIZE)
    spec = replace(spec, inputs={"events": replace(spec.input, field=event_field(meta))})
    network = awake(SIZE).train()
    counts = np.stack([represent(decode(open_source(f)), Framing(STEPS)).counts for f in files[:16]])
    network(
        torch.from_numpy(crop_or_pad(counts, spec.input.height, spec.input.width, spec.input.count_clip)).transpose(
            0, 1
        )
    )
    snap_to_grid(network, spec.input.levels)
    save_model(folder, spec, network, {})


def plain_loop(model: Path, *, our_frames: bool = False) -> Callable[[list[Path]], np.ndarray]:
    """The peer: files -> codes [N, K/8]; with our frames its codes must be ours, for tonic's lose the last event."""
    spec = load_model(model).spec
    network = EagerSpikinghash(
        SIZES[spec.options["network_size"]], bits=spec.bits, classes=len(spec.classes), steps=STEPS,
        height=spec.input.height, width=spec.input.width, kind="atan",
    )  # fmt: skip
    network.load_state_dict(load_model(model).method.network.state_dict())  # type: ignore[union-attr]
    network.eval()
    to_frame = ToFrame(sensor_size=(*SENSOR, 2), n_time_bins=STEPS)
    edge = (SENSOR[0] - spec.input.width) // 2
    inside = slice(edge, edge + spec.input.width)

    @torch.no_grad()
    def hash_files(files: list[Path]) -> np.ndarray:
        codes = []
        for path in files:
            if our_frames:
                counts = represent(decode(open_source(path)), Framing(STEPS)).counts
            else:
                counts = to_frame(read_mnist_file(str(path), dtype=_EVENT))
            frames = np.minimum(counts[:, :, inside, inside], spec.input.count_clip)
            functional.reset_net(network)
            bits, _ = network(torch.from_numpy(frames.astype(np.float32))[:, None])
            codes.append(np.packbits(bits[0].to(torch.uint8).numpy()))
        return np.stack(codes)

    return hash_files


def timed(job: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds and result."""
    started = time.perf_counter()
    result = job()
    return time.perf_counter() - started, result


def measure_peer(model: Path, files: list[Path]) -> tuple[float, np.ndarray, int]:
    """Seconds and codes of the plain loop, and the number of threads it was fastest with on the first files."""
    loop, before = plain_loop(model), torch.get_num_threads()
    trial = {}
    for threads in {1, before}:
        torch.set_num_threads(threads)
        loop(files[:5])
        trial[threads], _ = timed(lambda: loop(files[5:45]))
    best = min(trial, key=lambda n: trial[n])
    torch.set_num_threads(best)
    seconds, codes = timed(lambda: loop(files))
    torch.set_num_threads(before)
    return seconds, codes, best


def measure_ours(model: Path, files: list[Path], folder: Path) -> tuple[float, np.ndarray]:
    """Seconds of the second of two fresh databases, decoder and all, and the codes in the order of the files."""
    encoder = Encoder(load_model(model))
    for number in range(2):
        with IsolatedDecoder() as decoder:
            database = CodeDatabase.create_or_open(folder / f"db-{number}")
            seconds, _ = timed(lambda d=database, w=decoder: encode_recordings(files, encoder, d, decode=w.stream))
    rows = database.rows()
    code = dict(zip(rows.column("recording").to_pylist(), rows.column("code").to_pylist(), strict=True))
    return seconds, np.stack([np.frombuffer(code[str(f)], np.uint8) for f in files])


def measure(count: int, folder: Path) -> dict[str, Any]:
    """Both sides over the same files."""
    files, real = find_files(count, folder / "digits")
    make_model(folder / "model", files)
    load = round(os.getloadavg()[0], 1)
    ours, our_codes = measure_ours(folder / "model", files, folder)
    peer, peer_codes, threads = measure_peer(folder / "model", files)
    same = plain_loop(folder / "model", our_frames=True)(files[:50])
    equal = bool((same == our_codes[:50]).all())
    ratio = peer / ours
    return {
        "files": count, "real": real, "cores": os.cpu_count(), "load_before": load, "network": SIZE,
        "files_per_s": {"ours": round(count / ours, 1), "plain loop": round(count / peer, 1)}, "peer_threads": threads,
        "distinct_codes": len(np.unique(our_codes, axis=0)),
        "equal_bits": round(float((np.unpackbits(our_codes) == np.unpackbits(peer_codes)).mean()), 4),
        "equal_codes_on_our_frames": equal, "ratio": round(ratio, 2), "target": TARGET,
        "ok": equal and ratio >= TARGET,
    }  # fmt: skip


def show(found: dict[str, Any]) -> None:
    """For a person."""
    for name, rate in found["files_per_s"].items():
        print(f"{name:12} {rate:8.1f} files/s")
    print(
        f"ours / plain loop = {found['ratio']} (target {TARGET:.0f}), codes equal on our frames: "
        f"{found['equal_codes_on_our_frames']}"
    )


if __name__ == "__main__":
    counted_run("bulk hashing against a plain loop of tonic and SpikingJelly", "--files", 1000, measure, show)
