"""What a training step takes on this machine: seconds and memory, measured in a process of its own.

Steps of one clip, two, four and so on are run while they are small; the whole batch is drawn out from the first and the
last of them, so that a recipe can be judged where it does not fit.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from spikinghash.errors import SpikinghashError
from spikinghash.isolation import NEUTRAL_FOLDER, isolated_command
from spikinghash.methods.spec import ModelSpec

#: A step that takes longer or more memory is the last; one of two clips is always run.
_LONG_S, _LARGE = 2.0, 2 << 30


@dataclass(frozen=True)
class StepCost:
    """`seconds` and peak `memory_bytes` of a worker for a step of `clips`, and what they were drawn from.

    Memory is the device's where there is a CUDA device, else all that the process holds.
    """

    device: str
    parameters: int
    clips: int
    seconds: float
    memory_bytes: int
    measured: dict[int, tuple[float, int]]


def step_cost(spec: ModelSpec, optimiser: str, clips: int, threads: int, amp: bool, again: bool = False) -> StepCost:
    """Measure steps of `spec` on random clips and draw them out to `clips`, a worker's batch; `again`: blocks are
    computed again for the gradient (`activation_checkpointing.py`).

    `SpikinghashError` where the process dies, as for want of memory.
    """
    job = {
        "spec": spec.to_json(), "optimiser": optimiser, "clips": clips, "threads": threads, "amp": amp, "again": again,
    }  # fmt: skip
    child = subprocess.run(
        isolated_command("spikinghash.training.step_cost"), input=json.dumps(job), capture_output=True, text=True,
        check=False, cwd=NEUTRAL_FOLDER,
    )  # fmt: skip
    if child.returncode:
        last = (child.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise SpikinghashError(f"a step of a few clips failed ({child.returncode}): {last}")
    found = json.loads(child.stdout.splitlines()[-1])
    measured = {n: (seconds, size) for n, seconds, size in found["steps"]}
    seconds, size = (drawn_out({n: step[i] for n, step in measured.items()}, clips) for i in (0, 1))
    return StepCost(found["device"], found["parameters"], clips, seconds, round(size), measured)


def drawn_out(values: dict[int, float], clips: int) -> float:
    """The line through the first and the last of the values by count, at `clips`; it never falls."""
    (first, low), (last, high) = min(values.items()), max(values.items())
    return high + max(0.0, high - low) / max(1, last - first) * (clips - last)


def _measure(job: dict[str, Any]) -> dict[str, Any]:
    import torch

    from spikinghash.allocator import keep_freed_memory
    from spikinghash.methods.method import build
    from spikinghash.training.activation_checkpointing import activation_checkpointing
    from spikinghash.training.recipe import Recipe, make_optimiser

    torch.set_num_threads(job["threads"])
    torch.manual_seed(0)
    keep_freed_memory()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    spec = ModelSpec.from_json(job["spec"])
    method = build(spec).to(device).train()
    recipe = Recipe(epochs=1, batch=job["clips"], lr=1e-4, seed=0, optimiser=job["optimiser"], amp=job["amp"])
    optimiser = make_optimiser(method, recipe)
    steps: list[tuple[int, float, int]] = []
    clips = 1
    while not steps or steps[-1][0] < job["clips"]:
        with activation_checkpointing(method) if job["again"] else nullcontext():
            steps.append((clips, *_step(method, optimiser, recipe, spec, clips, device)))
        if clips > 1 and (steps[-1][1] > _LONG_S or steps[-1][2] > _LARGE):
            break
        clips = min(2 * clips, job["clips"])
    name = torch.cuda.get_device_name() if device.type == "cuda" else f"CPU, {job['threads']} threads"
    return {"device": name, "parameters": sum(p.numel() for p in method.parameters()), "steps": steps}


def _step(method: Any, optimiser: Any, recipe: Any, spec: ModelSpec, clips: int, device: Any) -> tuple[float, int]:
    """Seconds of the faster one of two steps after a first, and the most memory so far."""
    import torch

    from spikinghash.data.batch import labelled
    from spikinghash.training.optimizer_step import optimizer_step

    size = spec.input.channels, spec.input.height, spec.input.width
    # an event in every tenth cell, or grey noise
    noise = (
        torch.randint(0, 255, (clips, *size)).to(torch.uint8)
        if spec.input.kind == "image"
        else (torch.rand(spec.input.steps, clips, *size) < 0.1).float()
    )
    batch = labelled({spec.modality: noise}, torch.arange(clips) % len(spec.classes), len(spec.classes)).to(device)
    seconds = []
    for _ in range(3):
        started = time.monotonic()
        with torch.autocast("cuda", torch.bfloat16, enabled=recipe.amp and device.type == "cuda"):
            loss = method(batch).loss
        optimizer_step(method, loss, optimiser, recipe.grad_clip)
        seconds.append(time.monotonic() - started)
    # `ru_maxrss` counts kilobytes
    on_cpu = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return min(seconds[1:]), torch.cuda.max_memory_allocated() if device.type == "cuda" else on_cpu


if __name__ == "__main__":
    print(json.dumps(_measure(json.load(sys.stdin))))  # noqa: T201
