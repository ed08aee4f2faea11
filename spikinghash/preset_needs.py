"""What a preset asks of a machine, before anyone waits for it: geometry, clips, disk, memory and time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from spikinghash.configs import spec_of
from spikinghash.data.described import event_field
from spikinghash.data.picture import PictureFrame
from spikinghash.data.sample_spec import FieldSpec
from spikinghash.frames.framing import Framing
from spikinghash.overlay import lay_over
from spikinghash.params import Params, check_params
from spikinghash.presets import preset_text
from spikinghash.presets.published import CLASSES, CLIPS
from spikinghash.training.step_cost import StepCost, step_cost

#: Classes where nobody has counted them: too few to matter beside the network.
_SOME = 10


@dataclass(frozen=True)
class Needs:
    """Of one preset: a clip [T, 2, H, W] or picture [3, H, W] of the store, what the network sees of one, [T, P, H, W],
    `clips` of the published data set (None: not known), bytes of the uncompressed store, training steps if all clips
    were for training, and a worker's step where it was measured; `again`: its blocks are computed again for the
    gradient.
    """

    stored: tuple[int, ...]
    seen: tuple[int, ...]
    clips: int | None
    store_bytes: int | None
    steps: int | None
    workers: int
    step: StepCost | None
    again: bool

    def to_json(self) -> dict[str, Any]:
        """As a JSON-ready dictionary; bytes and seconds as numbers."""
        content: dict[str, Any] = {
            "clip_in_store": list(self.stored), "clip_in_network": list(self.seen), "clips": self.clips,
            "store_bytes": self.store_bytes, "steps": self.steps, "workers": self.workers,
            "activation_checkpointing": self.again,
        }  # fmt: skip
        if self.step is not None:
            content["step"] = {
                "device": self.step.device, "parameters": self.step.parameters, "clips": self.step.clips,
                "seconds": self.step.seconds, "worker_memory_bytes": self.step.memory_bytes,
                "measured": {str(n): list(found) for n, found in self.step.measured.items()},
            }  # fmt: skip
        return content

    def lines(self) -> list[str]:
        """For a person."""
        unknown = "not counted: ingest tells"
        disk = unknown if self.store_bytes is None else f"{_size(self.store_bytes)}, uncompressed"
        lines = [
            f"clip in the store    {_shape(self.stored)}",
            f"clip in the network  {_shape(self.seen)}",
            f"clips                {unknown if self.clips is None else f'{self.clips:,}, as published'}",
            f"frames on disk       {disk}",
        ]
        if self.step is None:
            return lines
        step = self.step
        last, (seconds, size) = max(step.measured.items())
        drawn = "" if last == step.clips else f"; drawn out from steps of {last}: {seconds:.2f} s, {_size(size)}"
        again = ", activation checkpointing" if self.again else ""
        lines += [
            f"parameters           {step.parameters:,}",
            f"memory of a worker   {_size(step.memory_bytes)} on {step.device}{again}",
            f"a step               {step.seconds:.2f} s for {step.clips} clips a worker{drawn}",
        ]
        if self.steps is not None:
            hours, workers = self.steps * step.seconds / 3600, self.workers
            lines.append(f"training             at most {self.steps:,} steps, {hours:,.1f} hours; {workers} workers")
        return lines


def preset_needs(name: str, base: dict[str, Any], *, measure: bool, path: Any) -> Needs:
    """Of the preset laid over the parameters `base` of the file `path`; `measure` runs a few steps."""
    lay_over(base, yaml.safe_load(preset_text(name)))
    params = check_params(base, path)
    field, clips = _field(params), CLIPS.get(name)
    classes, t = CLASSES.get(name, _SOME), params.train
    spec = spec_of(params, {field.kind: field}, tuple(f"class {n}" for n in range(classes)))
    step = None
    if measure:
        step = step_cost(
            spec, t.optimiser, t.batch // (t.workers * t.accumulate), t.threads, t.amp,
            t.activation_checkpointing,
        )  # fmt: skip
    # a step of the optimiser takes as many of the worker's as it accumulates
    steps = None if clips is None else t.epochs * max(1, clips // t.batch) * t.accumulate
    one = spec.input
    stored, seen = field.shape, (spec.options.get("steps") or one.steps, one.channels, one.height, one.width)
    return Needs(stored, seen, clips, None if clips is None else clips * field.sample_bytes, steps, t.workers, step,
                 t.activation_checkpointing)  # fmt: skip


def _field(params: Params) -> FieldSpec:
    """Description of the samples that `ingest` would make."""
    height, width = params.model.input
    sensor = params.dataset.sensor or (width, height)
    if params.dataset.has_pictures:
        return PictureFrame(*sensor, resize=params.dataset.sensor is not None).field()
    return event_field(Framing(**params.frames.framing).meta(sensor))


def _shape(shape: tuple[int, ...]) -> str:
    steps = f"{shape[0]} steps, " if len(shape) == 4 else ""
    return steps + "{} channels, {} x {}".format(*shape[-3:])


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"
