"""The mean over workers of one machine by memory that they share.

A message by the library's loopback sockets wakes a thread on each side; on busy cores that takes 3 ms of the 60 of a
step, memory 0.3. Workers on several machines still send messages.
"""

from __future__ import annotations

import mmap
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from spikinghash.errors import SpikinghashError
from spikinghash.training.averaging import mean_of_workers
from spikinghash.training.meet_kernel import APART, all_arrived, arrive, mean

#: Where files are memory.
_MEMORY = Path("/dev/shm")  # noqa: S108 names there are drawn
#: Looks at the counts before a worker lets others have its core: about a millisecond.
_LOOKS = 1 << 19
_PAUSE_S = 50e-6
#: As long as the library waits for a message.
_PATIENCE_S = 1800.0
_COUNT_BYTES = 8 * APART


class SharedMean:
    """Call it on all workers with a tensor of the same size and type: it becomes the mean of all, in place, the same
    bits everywhere. Needs a process group. Raises `SpikinghashError` where a worker does not come.

    `memory` is a folder whose files are memory; where there is none, or no room, workers send messages.
    """

    def __init__(self, memory: Path = _MEMORY, *, patience_s: float = _PATIENCE_S) -> None:
        self._memory, self._patience_s = memory, patience_s
        self._places: dict[int, _Place | None] = {}

    def __call__(self, values: Tensor) -> None:
        """Average `values` [...], dense, on CPU."""
        size = values.numel()
        if size not in self._places:
            self._places[size] = _meet(size, self._memory)
        place = self._places[size] if values.dtype == torch.float32 else None
        if place is None:
            mean_of_workers(values)
        else:
            place.average(values.view(-1).numpy(), self._patience_s)


class _Place:
    """Memory for two steps: who is done with one may write the next while others still read."""

    def __init__(self, memory: mmap.mmap, rank: int, world: int, size: int) -> None:
        self._rank, self._step = rank, 0
        self._counts = np.frombuffer(memory, np.int64, world * APART)
        self._parts = np.frombuffer(memory, np.float32, 2 * world * size, world * _COUNT_BYTES).reshape(2, world, size)

    def average(self, values: np.ndarray, patience_s: float) -> None:
        self._step += 1
        parts = self._parts[self._step % 2]
        parts[self._rank] = values
        arrive(self._counts, self._rank, self._step)
        started = time.monotonic()
        while not all_arrived(self._counts, self._step, _LOOKS):
            if time.monotonic() - started > patience_s:
                raise SpikinghashError(f"a training worker did not come to step {self._step}; run again to resume")
            time.sleep(_PAUSE_S)
        mean(parts, values)


def _meet(size: int, folder: Path) -> _Place | None:
    """A place for `size` floats from all workers; None where they do not see the same memory."""
    rank, world = torch.distributed.get_rank(), torch.distributed.get_world_size()
    length = world * (_COUNT_BYTES + 2 * 4 * size)
    name = torch.zeros(256, dtype=torch.uint8)
    path = _make(folder, length) if rank == 0 else None
    if path is not None:
        name[: len(os.fsencode(path))] = torch.frombuffer(bytearray(os.fsencode(path)), dtype=torch.uint8)
    torch.distributed.broadcast(name, 0)
    memory = _open(Path(os.fsdecode(bytes(name.tolist()).rstrip(b"\0"))), length)
    seen = torch.tensor(int(memory is not None))
    torch.distributed.all_reduce(seen, torch.distributed.ReduceOp.MIN)
    if path is not None:
        # the memory stays as long as somebody has it open, and no crash leaves it behind
        path.unlink()
    return _Place(memory, rank, world, size) if memory is not None and seen.item() else None


def _make(folder: Path, length: int) -> Path | None:
    """A new file there; None where that is not possible."""
    if not os.access(folder, os.W_OK):
        return None
    handle, name = tempfile.mkstemp(prefix="spikinghash-", dir=folder)
    with os.fdopen(handle, "r+b") as file:
        try:
            # allocated now: what is full is an error here and not a bus error later
            os.posix_fallocate(file.fileno(), 0, length)
        except OSError:
            Path(name).unlink()
            return None
    return Path(name)


def _open(path: Path, length: int) -> mmap.mmap | None:
    try:
        with path.open("r+b") as file:
            return mmap.mmap(file.fileno(), length)
    except (OSError, ValueError):
        return None
