"""Hashing on Ray: actors that hold the model decode, frame and encode; the caller reads inputs and commits codes.

A worker that dies loses nothing. Its inputs are tried again one by one, so that the one to blame is found, and an input
whose worker died `TRIES` times while it was alone with it is refused as `worker-crash`.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayActorError, RayError, RayTaskError

from spikinghash.codes.hash_inputs import Hashed, Hasher
from spikinghash.codes.hash_worker import HashWorker, ModelFiles, Refusal
from spikinghash.codes.inputs import Opened
from spikinghash.codes.new_rows import Refused
from spikinghash.codes.signals import Stop, handlers_restored, keep_signals
from spikinghash.errors import BadRecording, Temporary
from spikinghash.events.isolate import WORKER, Limits
from spikinghash.events.options import DEFAULTS, ReadOptions
from spikinghash.isolation import packages_alone
from spikinghash.training.checkpoint import LoadedModel, save_model
from spikinghash.training.ray_session import connect_ray

TRIES = 2
#: Inputs, and about how many of their bytes, that one worker gets at once.
CHUNK, CHUNK_BYTES = 32, 16 << 20
#: Chunks on their way to or at one worker: the next one is there when the last one ends.
AHEAD = 2
#: Workers that may die in a row before they were ready, and how long all may take to start.
FALSE_STARTS, START_S = 3, 180.0
#: How often a wait looks whether the job was asked to stop.
_LOOK_S = 0.2


@contextmanager
def ray_hasher(
    model: LoadedModel,
    workers: int,
    *,
    address: str | None = None,
    format: str | None = None,
    reading: ReadOptions = DEFAULTS,
    stop: Stop | None = None,
    limits: Limits | None = None,
    command: Sequence[str] = WORKER,
) -> Iterator[Hasher]:
    """Yield a `Hasher` with `workers` actors on the cluster at `address`, or on a local Ray that ends with the block.

    The results are those of `hash_inputs.hash_here`, in another order. `Temporary` where no worker starts.
    """
    stop = stop or Stop()
    ours = not ray.is_initialized()
    with packages_alone() as packages:
        if ours:
            with keep_signals(stop):
                # with fewer CPUs than workers some would wait for good
                cpus = max(workers, os.cpu_count() or 1)
                connect_ray(packages, address, cpus, object_store_memory=256 << 20)
        pool = _Pool(_Start(ray.put(_files(model)), format, limits or Limits(), tuple(command), reading), workers, stop)
        try:
            yield pool.run
        finally:
            pool.close()
            if ours:
                # it takes the handlers of all signals away
                with handlers_restored():
                    ray.shutdown()


def _files(model: LoadedModel) -> ModelFiles:
    """The two files of a model folder: the nodes of a cluster share no disk, and a worker verifies what it loads."""
    with tempfile.TemporaryDirectory() as folder:
        save_model(Path(folder), model.spec, model.method.network, model.card["training"])  # type: ignore[arg-type]
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


@dataclass(frozen=True)
class _Start:
    """What every new worker is made with."""

    files: Any
    format: str | None
    limits: Limits
    command: tuple[str, ...]
    reading: ReadOptions

    def worker(self) -> Any:
        # no task of a dead worker is repeated by Ray: we decide what is tried again, and alone
        actor = ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0)(HashWorker)
        return actor.remote(self.files, self.format, self.limits, self.command, self.reading)


@dataclass
class _Job:
    """An input, whether a worker that had it died (`suspect`), and how often that worker had no other."""

    item: Opened
    suspect: bool = False
    crashes: int = 0


@dataclass
class _Pool:
    """Actors, the calls that are under way, and the inputs that wait to be tried again."""

    start: _Start
    workers: int
    stop: Stop
    starting: dict[Any, Any] = field(default_factory=dict)
    busy: dict[Any, tuple[Any, list[_Job]]] = field(default_factory=dict)
    load: dict[Any, int] = field(default_factory=dict)
    again: deque[_Job] = field(default_factory=deque)
    false_starts: int = 0
    last_alive: float = field(default_factory=time.monotonic)

    def run(self, inputs: Iterator[Opened]) -> Iterator[Hashed | Refused]:
        """The `Hasher`."""
        self.last_alive = time.monotonic()
        source: Iterator[Opened] | None = inputs
        while True:
            while len(self.starting) + len(self.load) < self.workers:
                self._hire()
            while (actor := self._free()) is not None:
                chunk, source = self._chunk(source)
                if not chunk:
                    break
                self._send(actor, chunk)
            if source is None and not self.busy and not self.again:
                return
            yield from self._wait()

    def close(self) -> None:
        """Let the workers go; what they still do is lost."""
        for actor in [*self.starting.values(), *self.load]:
            ray.kill(actor)
        self.starting, self.load, self.busy = {}, {}, {}

    def _hire(self) -> None:
        actor = self.start.worker()
        self.starting[actor.ready.remote()] = actor

    def _free(self) -> Any:
        """A worker that may get more, the least loaded one; for an input that was with a dead one, an idle worker."""
        actor = min(self.load, key=lambda a: self.load[a], default=None)
        return actor if actor is not None and self.load[actor] < (1 if self.again else AHEAD) else None

    def _chunk(self, source: Iterator[Opened] | None) -> tuple[list[_Job], Iterator[Opened] | None]:
        if self.again:
            return [self.again.popleft()], source
        chunk: list[_Job] = []
        size = 0
        while source is not None and len(chunk) < CHUNK and size < CHUNK_BYTES:
            item = next(source, None)
            if item is None:
                return chunk, None
            size += item.source.size
            chunk.append(_Job(item))
        return chunk, source

    def _send(self, actor: Any, chunk: list[_Job]) -> None:
        self.busy[actor.hash.remote([job.item.to_send() for job in chunk])] = (actor, chunk)
        # nothing may follow an input that might kill the worker, or it would share the blame
        self.load[actor] += AHEAD if chunk[0].suspect else 1

    def _wait(self) -> Iterator[Hashed | Refused]:
        self.stop.check()
        done, _ = ray.wait([*self.starting, *self.busy], num_returns=1, timeout=_LOOK_S)
        self.stop.check()
        for call in done:
            yield from self._started(call) if call in self.starting else self._hashed(call)
        if not self.load and time.monotonic() - self.last_alive > START_S:
            raise Temporary(f"no Ray worker started in {START_S:.0f} s; is the cluster full? Run the command again")

    def _started(self, call: Any) -> Iterator[Hashed | Refused]:
        actor = self.starting.pop(call)
        try:
            ray.get(call)
        except RayTaskError:
            raise
        except RayError as error:
            self.false_starts += 1
            if self.false_starts >= FALSE_STARTS:
                raise Temporary(f"Ray workers die before they are ready: {_first_line(error)}") from error
        else:
            self.false_starts, self.load[actor] = 0, 0
        yield from ()

    def _hashed(self, call: Any) -> Iterator[Hashed | Refused]:
        actor, chunk = self.busy.pop(call)
        self.last_alive = time.monotonic()
        try:
            results = ray.get(call)
        except RayTaskError:
            raise
        except RayError as error:
            if self.load.pop(actor, None) is not None and not isinstance(error, RayActorError):
                ray.kill(actor)
            yield from self._crashed(chunk, error)
        else:
            if actor in self.load:
                self.load[actor] -= AHEAD if chunk[0].suspect else 1
            yield from (_refused(r) if isinstance(r, Refusal) else r for r in results)

    def _crashed(self, chunk: list[_Job], error: RayError) -> Iterator[Hashed | Refused]:
        for job in chunk:
            # suspects go alone: only then is it sure what killed the worker
            job.crashes += job.suspect
            job.suspect = True
            if job.crashes < TRIES:
                self.again.append(job)
                continue
            why = f"{job.crashes} workers died while they hashed it: {_first_line(error)}"
            yield Refused(job.item.path, job.item.source.sha256, BadRecording("worker-crash", why))


def _refused(answer: Refusal) -> Refused:
    return Refused(answer.path, answer.sha256, BadRecording(answer.reason, answer.message, answer.offset))


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
