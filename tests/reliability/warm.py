"""Runs of `spikinghash encode` forked from a process that has imported everything.

Python and its libraries take seconds to start, so hundreds of runs that are killed would mostly die while importing.
The programs of this folder import this module once, warm it up, and fork: a child starts where `encode` starts to work.
They stay single-threaded themselves, for a fork copies no threads.
"""

import hashlib
import json
import os
import signal
import sys
import time
import zipfile
from pathlib import Path

import duckdb
import numpy as np
import torch
from deltalake import DeltaTable

import spikinghash.codes.ray_encode
import spikinghash.progress  # noqa: F401  the child must find it imported
from spikinghash.codes import encoder, sink
from spikinghash.codes.database import CodeDatabase
from spikinghash.commands.encode import encode
from spikinghash.data.described import event_field
from spikinghash.events.reader import decode
from spikinghash.events.source import open_source
from spikinghash.frames.framing import Framing
from spikinghash.inference.read_bits import read_bits
from spikinghash.layers.exact_weights import snap_to_grid
from spikinghash.methods.method import build
from spikinghash.methods.model_input import ModelInput
from spikinghash.methods.spec import ModelSpec
from spikinghash.training.checkpoint import load_model, save_model

REAL = Path(__file__).parents[3] / "shared/data/events/nmnist_small/bs2"


def recordings(folder, count):
    """`count` N-MNIST recordings as files `000.bin` ... in `folder`: real ones where they are, else filmed digits."""
    found = sorted(REAL.glob("*.bs2"))[:count]
    if len(found) < count:
        from spikinghash.datasets.digits import synthesize_digits
        from spikinghash.events.camera import CameraParams

        synthesize_digits(folder / ".digits", seed=0, camera=CameraParams(), limit=count)
        found = sorted((folder / ".digits").rglob("*.bin"))
    for number, path in enumerate(found):
        (folder / f"{number:03}.bin").write_bytes(path.read_bytes())


def tiny_model(folder, sample):
    """A small network that was never trained but whose bits differ between clips; `sample` are recordings."""
    torch.manual_seed(0)
    clips = ModelInput(event_field(Framing(steps=4).meta((34, 34))), 32, 32, 8)
    spec = ModelSpec("spikinghash", 16, ("0", "1"), {"events": clips})
    method = build(spec)
    for module in method.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        method.network(_frames(sample, spec).transpose(0, 1))
        method.network.hash.linear.bias.add_(0.5)
    snap_to_grid(method.network, spec.input.count_clip)
    save_model(folder, spec, method.network, {})
    return folder


def _frames(paths, spec):
    from spikinghash.frames.crop_or_pad import crop_or_pad
    from spikinghash.frames.represent import represent

    counts = [represent(decode(open_source(path)), Framing(steps=4)).counts for path in paths]
    return torch.from_numpy(crop_or_pad(np.stack(counts), spec.input.height, spec.input.width, spec.input.count_clip))


def warm_up(model, sample):
    """Compile or load every kernel that encoding needs, on this thread alone."""
    torch.set_num_threads(1)
    loaded = load_model(model)
    read_bits(loaded.method, _frames(sample[:2], loaded.spec).transpose(0, 1))


def start(paths, db, model, out, before=None, commit=None, workers=0):
    """Fork a run of `spikinghash encode --json` and return its pid; output goes to `out` and `<out>.err`.

    `before` is called in the child first; `commit` clips make a commit, so that few recordings make many.
    """
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 99
    try:
        for number, stream in ((1, out), (2, f"{out}.err")):
            os.dup2(os.open(stream, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if commit is not None:
            sink.COMMIT = commit
            encoder.Encoder.__init__.__defaults__ = (commit // 2 or 1, 2)
        if before is not None:
            before()
        # no wait for young files: a signal is to meet work
        options = {"workers": workers, "settle_s": 0.0, "as_json": True}
        encode(paths=list(map(Path, paths)), db=str(db), model=str(model), **options)
    except BaseException as error:  # noqa: BLE001  typer.Exit among them
        code = getattr(error, "exit_code", 98)
        if code == 98:
            print(repr(error), file=sys.stderr)
    finally:
        sys.stdout.flush()
        os._exit(code)


def wait(pid, seconds=60.0):
    """Exit code of a child, minus the signal's number where one killed it; after `seconds` it is killed."""
    until = time.monotonic() + seconds
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > until:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.005)


def run(*arguments, **options):
    """One run to its end: (exit code, its JSON or None)."""
    code = wait(start(*arguments, **options))
    text = Path(arguments[3]).read_text()
    return code, json.loads(text) if text.strip() else None


def apart(function, *arguments):
    """JSON-ready result of a call in a forked child: this process never starts a thread of DuckDB, Arrow or Rust."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            result = {"result": function(*arguments)}
        except BaseException as error:  # noqa: BLE001
            result = {"error": repr(error)}
        with os.fdopen(theirs, "w") as stream:
            json.dump(result, stream)
        os._exit(0)
    os.close(theirs)
    with os.fdopen(ours) as stream:
        found = json.load(stream)
    wait(pid)
    if "error" in found:
        raise AssertionError(found["error"])
    return found["result"]


def codes_of(db):
    """{clip id: code in hex} as DuckDB sees the table; `AssertionError` for a clip that is there twice."""
    stored = DeltaTable(f"{db}/codes").to_pyarrow_dataset()
    rows = duckdb.from_arrow(stored).query("stored", "select clip_id, hex(code) from stored").fetchall()
    found = dict(rows)
    assert len(found) == len(rows), f"{len(rows) - len(found)} rows doubled"
    return found


def quarantine_of(db):
    """Sorted file names in the quarantine; a name that stands twice is a recording refused twice."""
    return sorted(Path(path).name for path in CodeDatabase.open(db).quarantined().column("path").to_pylist())


def digest(codes):
    """SHA-256 over sorted (clip, code)."""
    return hashlib.sha256(b"".join(f"{clip}={codes[clip]};".encode() for clip in sorted(codes))).hexdigest()


def inbox(folder, count):
    """A landing folder: recordings of which a third are in a zip, one twice, and three broken files."""
    folder.mkdir(parents=True)
    recordings(folder, count)
    good = sorted(folder.glob("*.bin"))
    with zipfile.ZipFile(folder / "zipped.zip", "w") as archive:
        for path in good[: count // 3]:
            archive.write(path, path.name)
    (folder / "copy.bin").write_bytes(good[-1].read_bytes())
    for path in good[: count // 3]:
        path.unlink()
    for number, data in enumerate((b"", good[-1].read_bytes()[:-3], b"not a recording, whatever one may think")):
        (folder / f"broken-{number}.bin").write_bytes(data)
    return good[count // 3 :]
