"""Ray Train around the loop: any number of workers, restart after a failure, resume after a kill.

A run's working folder is named by what is trained on what (`run_name`). Relaunching the same run finds Ray's last
committed checkpoint there and goes on; a finished run removes it.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from spikinghash.allocator import keep_freed_memory
from spikinghash.data.order import Ranks
from spikinghash.errors import ConfigError, SpikinghashError, TrainingCollapsed
from spikinghash.isolation import packages_alone
from spikinghash.methods.registry import entry_of
from spikinghash.methods.spec import ModelSpec
from spikinghash.training import history
from spikinghash.training.average_buffers import average_buffers
from spikinghash.training.batch_scheduling import schedule_as_batch
from spikinghash.training.follow import follow
from spikinghash.training.loop import EpochRecord, Report, Save
from spikinghash.training.ray_session import connect_ray, explain_ray
from spikinghash.training.recipe import Recipe
from spikinghash.training.run_storage import RunStorage
from spikinghash.training.state import Progress, where_it_was

# how often Ray looks at the workers, whose reports wait for the next look: its 2 s are longer than some epochs
os.environ.setdefault("RAY_TRAIN_HEALTH_CHECK_INTERVAL_S", "0.2")


#: Of a recipe, what changes how training gets to its weights and not which ones.
_NO_RESULT = ("checkpoint_every", "checkpoint_steps", "activation_checkpointing")


@dataclass(frozen=True)
class Job:
    """All a worker needs, as plain values: where the frames are, what to train, where to leave the result.

    `cache` is the folder for the cache of the frames on each worker's machine, None its user's; `loader_workers` are
    the processes that read for each worker (`data/loader.py`).
    """

    frames: str
    frames_sha256: str
    out: str
    spec: ModelSpec
    recipe: Recipe
    workers: int
    cache: str | None = None
    loader_workers: int = 0

    def run_name(self) -> str:
        """Changes with anything that changes the result but the number of workers: another number goes on with a run
        that was interrupted.
        """
        recipe = {k: v for k, v in asdict(self.recipe).items() if k not in _NO_RESULT}
        parts = [self.spec.to_json(), recipe, self.frames_sha256]
        return "train-" + hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def train_with_ray(
    job: Job,
    runs: Path,
    *,
    address: str | None = None,
    storage: str | None = None,
    threads: int,
    watch: Callable[[dict[str, Any]], None] | None = None,
    say: Callable[[str], None] | None = None,
    max_failures: int = 2,
) -> list[dict[str, Any]]:
    """Train `job` and leave the model in `job.out`; returns the history.

    `runs` must be visible to all workers; `storage` is the address of an object store for training states, None keeps
    them there too. `address` joins a cluster, None starts Ray locally. `threads` per worker.
    `watch` is called with every finished epoch, `say` with a line when training resumes or workers start again.
    Raises `TrainingCollapsed`, or `SpikinghashError` when workers keep
    failing.
    """
    why = entry_of(job.spec.method).alone
    if why and job.workers > 1:
        raise ConfigError(f"train.workers is {job.workers}, but {job.spec.method} is trained by one: {why}")
    with ExitStack() as resources:
        return _train(job, RunStorage(runs, storage), address, threads, watch, say, max_failures, resources)


def _train(
    job: Job, storage: RunStorage, address: str | None, threads: int, watch: Callable[[dict[str, Any]], None] | None,
    say: Callable[[str], None] | None, max_failures: int, resources: ExitStack,
) -> list[dict[str, Any]]:  # fmt: skip
    import ray

    storage.runs.mkdir(parents=True, exist_ok=True)
    log, where = storage.runs / job.run_name() / history.HISTORY, storage.options()
    started = not ray.is_initialized()
    if started:
        # the controller is an actor of its own beside the workers
        connect_ray(resources.enter_context(packages_alone()), address, job.workers * threads + 1)
    stop = threading.Event()
    watcher = threading.Thread(target=follow, args=(log, watch, say, stop), daemon=True)
    watcher.start()
    try:
        _trainer(job, where, log, threads, max_failures).fit()
    except Exception as error:
        raise _explain(error, log) from error
    finally:
        stop.set()
        watcher.join()
        if started:
            ray.shutdown()
    records = history.read(log)
    storage.remove(job.run_name())
    return records


def _trainer(job: Job, where: dict[str, Any], log: Path, threads: int, max_failures: int) -> Any:
    from ray.train import CheckpointConfig, FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchConfig, TorchTrainer

    return TorchTrainer(
        worker,
        train_loop_config={"job": job, "log": str(log), "threads": threads},
        torch_config=TorchConfig(backend="nccl" if torch.cuda.is_available() else "gloo"),
        scaling_config=ScalingConfig(
            num_workers=job.workers,
            use_gpu=torch.cuda.is_available(),
            resources_per_worker=None if torch.cuda.is_available() else {"CPU": threads},
        ),
        run_config=RunConfig(
            name=job.run_name(),
            **where,
            failure_config=FailureConfig(max_failures=max_failures),
            checkpoint_config=CheckpointConfig(num_to_keep=2),
        ),
    )


def worker(config: dict[str, Any]) -> None:
    """One Ray Train worker: build, train, and on rank 0 leave the model."""
    import ray.train
    from ray.train.torch import get_device

    from spikinghash.data.cache_folder import BESIDE, cache_folder
    from spikinghash.data.open_cache import open_cache
    from spikinghash.training.data import prepare
    from spikinghash.training.finish import finish
    from spikinghash.training.loop import run
    from spikinghash.training.publish import publish

    job: Job = config["job"]
    log = Path(config["log"])
    torch.set_num_threads(config["threads"])
    keep_freed_memory()
    context = ray.train.get_context()
    ranks = Ranks(context.get_world_rank(), context.get_world_size())
    if ranks.world > 1:
        schedule_as_batch()
    cache = cache_folder(job.cache, log.parent.parent / BESIDE)
    method, data = prepare(open_cache(Path(job.frames), job.frames_sha256, cache), job.spec, job.recipe)
    method.to(get_device())

    def go(resume: Path | None) -> None:
        if ranks.rank == 0:
            epoch, step, before = where_it_was(resume)
            history.note_start(log, history.Start(epoch, step, before, ranks.world))
        progress = run(
            method, data, job.recipe, _reporter(log, ranks), ranks=ranks, **(_together() if ranks.world > 1 else {}),
            finish=lambda m: finish(m, job.spec), keep=_keep, resume=resume, loader_workers=job.loader_workers,
        )  # fmt: skip
        if ranks.rank == 0:
            records = history.read(log)
            publish(Path(job.out), job.spec, method, progress, job.recipe, records, data.train)

    last = ray.train.get_checkpoint()
    if last is None:
        go(None)
    else:
        with last.as_directory() as folder:
            go(Path(folder))


def _together() -> dict[str, Callable[..., Any]]:
    """How workers stay alike: DDP for gradients, buffers once an epoch."""
    from ray.train.torch import prepare_model

    options = {"forward_sync_buffers": False, "gradient_as_bucket_view": True}
    wrap = partial(prepare_model, move_to_device=False, parallel_strategy_kwargs=options)
    return {"wrap": wrap, "sync": average_buffers}


def _reporter(log: Path, ranks: Ranks) -> Report:
    """Tell Ray about every epoch, on every rank, with the training state; rank 0 keeps the history."""

    def report(record: EpochRecord, save: Save | None) -> None:
        if ranks.rank == 0:
            history.append(log, record)
        _hand_over({"epoch": record.epoch, "val_map": record.val_map}, save)

    return report


def _keep(save: Save, progress: Progress) -> None:
    """Hand a training state within an epoch to Ray."""
    _hand_over({"epoch": progress.epoch, "step": progress.step}, save)


def _hand_over(facts: dict[str, Any], save: Save | None) -> None:
    """Every rank reports at once; Ray puts the files of all ranks into one checkpoint, which counts once whole."""
    import ray.train

    if save is None:
        ray.train.report(facts)
        return
    with tempfile.TemporaryDirectory() as folder:
        save(Path(folder))
        ray.train.report(facts, checkpoint=ray.train.Checkpoint.from_directory(folder))


def _explain(error: Exception, log: Path) -> SpikinghashError:
    """Our own errors cross process borders inside Ray's; bring them back."""
    text = str(error)
    for line in text.splitlines():
        if TrainingCollapsed.__name__ in line:
            return TrainingCollapsed(line.split(": ", 1)[-1].strip())
        for kind in SpikinghashError.__subclasses__():
            if f"errors.{kind.__name__}: " in line:
                return SpikinghashError(line.split(": ", 1)[-1].strip())
    return explain_ray(error) or SpikinghashError(
        f"training failed ({text.strip().splitlines()[-1][:300]}); history: {log}; run again to resume"
    )
