"""Training on arrays, in this process: what the stage `train` does with Ray, for a notebook."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from spikinghash.api.frame import FramedClips
from spikinghash.api.model_frames import whole_counts
from spikinghash.data.dataset import Field, Prepare, SampleDataset
from spikinghash.data.described import event_field
from spikinghash.data.label_sets import LabelSets
from spikinghash.data.samples import SampleArray
from spikinghash.datasets.splits import hold_out
from spikinghash.errors import BadCheckpoint, ConfigError
from spikinghash.frames.accumulate import Frames
from spikinghash.frames.frame_meta import FrameMeta
from spikinghash.frames.framing import Framing
from spikinghash.methods.method import build
from spikinghash.methods.model_input import ModelInput
from spikinghash.methods.options import options_of
from spikinghash.methods.registry import entry_of
from spikinghash.methods.spec import ModelSpec
from spikinghash.training.checkpoint import LoadedModel, load_model
from spikinghash.training.finish import finish
from spikinghash.training.loop import EpochRecord, TrainingData, run
from spikinghash.training.publish import publish
from spikinghash.training.recipe import Recipe

#: Sides of a network's input are multiples of this, which suits two wavelet levels after two poolings.
_SIDE_UNIT = 16


@dataclass(frozen=True)
class Plan:
    """How `fit_arrays` trains: a network by name, a recipe, and the share of each class that selects the epoch."""

    method: str
    bits: int
    recipe: Recipe
    options: dict[str, Any]
    val_fraction: float
    input_size: tuple[int, int] | None
    count_clip: int


def fit_arrays(
    frames: Any,
    labels: Sequence[Any] | NDArray[Any],
    plan: Plan,
    *,
    framing: Framing | None = None,
    watch: Callable[[EpochRecord], None] | None = None,
) -> LoadedModel:
    """Train on frames [N, T, 2, H, W] and labels [N]; errors and meaning as `Hasher.fit`."""
    _check(plan.recipe)
    clips, meta = _described(frames, framing)
    classes, numbers = _classes(labels, len(clips))
    spec = _spec(plan, meta, classes)
    data = _split(clips, numbers, plan, spec)
    records: list[dict[str, Any]] = []

    def report(record: EpochRecord, _: Any) -> None:
        records.append(asdict(record))
        if watch is not None:
            watch(record)

    # the generators of the caller's process stay as they are; through files, so that what is returned is what a saved
    # model gives, checked as one
    with torch.random.fork_rng(devices=[]), tempfile.TemporaryDirectory(prefix="spikinghash-fit-") as folder:
        torch.manual_seed(plan.recipe.seed)
        method = build(spec).to("cuda" if torch.cuda.is_available() else "cpu")
        progress = run(method, data, plan.recipe, report, finish=partial(finish, spec=spec))
        publish(Path(folder), spec, method, progress, plan.recipe, records, data.train)
        return load_model(Path(folder))


def _check(recipe: Recipe) -> None:
    for name, least in (("epochs", 1), ("batch", 2)):
        value = getattr(recipe, name)
        if type(value) is not int or value < least:
            raise ConfigError(f"{name} must be a whole number of at least {least}, not {value!r}")
    if not (isinstance(recipe.lr, int | float) and 0 < recipe.lr < float("inf")):
        raise ConfigError(f"lr must be a number over 0, not {recipe.lr!r}")


def _described(frames: Any, framing: Framing | None) -> tuple[Frames, FrameMeta]:
    """Clips of one type, and how recordings become such clips."""
    if isinstance(frames, FramedClips):
        framing = framing or frames.framing
    clips = np.asarray(frames)
    if clips.ndim != 5 or clips.shape[2] != 2:
        raise ConfigError(f"frames are {list(clips.shape)}; training takes [N, T, 2, H, W], OFF and ON events")
    if clips.dtype.kind == "f" and not (np.isfinite(clips).all() and (clips == np.trunc(clips)).all()):
        if not np.isfinite(clips).all():
            raise ConfigError("frames hold numbers that are not finite")
        clips = clips.astype(np.float32)
        framing = framing or Framing(clips.shape[1], "float32", "voxel")
    else:
        clips = whole_counts(clips)
        framing = framing or Framing(clips.shape[1], "uint8" if clips.dtype == np.uint8 else "uint16")
    height, width = clips.shape[3:]
    meta = framing.meta((width * framing.downsample, height * framing.downsample))
    if meta.steps != clips.shape[1] or meta.dtype != clips.dtype:
        told = f"framing says {meta.steps} steps of {meta.dtype}"
        raise ConfigError(f"frames have {clips.shape[1]} steps of {clips.dtype}, but {told}; make them with it")
    return clips, meta


def _classes(labels: Sequence[Any] | NDArray[Any], clips: int) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Names in order, of numbers by value, and the number of each clip's class [N]."""
    found = np.asarray(labels)
    if found.shape != (clips,):
        raise ConfigError(f"labels are {list(found.shape)} for {clips} clips; give one label for each clip")
    if found.dtype.kind not in "biuU":
        raise ConfigError(f"labels are {found.dtype}; give names or whole numbers, one for each clip")
    values, numbers = np.unique(found, return_inverse=True)
    if len(values) < 2:
        raise ConfigError(f"labels name {len(values)} class; with fewer than two nothing is learned")
    return tuple(str(value) for value in values), numbers.astype(np.int64)


def _spec(plan: Plan, meta: FrameMeta, classes: tuple[str, ...]) -> ModelSpec:
    height, width = plan.input_size or (_side(meta.height), _side(meta.width))
    one = ModelInput(event_field(meta), height, width, plan.count_clip)
    options = asdict(options_of(entry_of(plan.method).options, plan.options, plan.method))
    spec = ModelSpec(plan.method, plan.bits, classes, {"events": one}, options)
    try:
        # a model that could be saved and not be loaded would be found out after training
        return ModelSpec.from_json(spec.to_json())
    except BadCheckpoint as error:
        raise ConfigError(str(error).replace("model.json: spec.", "")) from None


def _side(pixels: int) -> int:
    """The multiple of `_SIDE_UNIT` nearest to a side of the frames; the rest is cropped or padded."""
    return max(1, round(pixels / _SIDE_UNIT)) * _SIDE_UNIT


def _split(clips: Frames, numbers: NDArray[np.int64], plan: Plan, spec: ModelSpec) -> TrainingData:
    """A seeded share of each class for validation, the rest for training."""
    ids = {f"{row:09}": str(number) for row, number in enumerate(numbers.tolist())}
    held = hold_out(ids, plan.val_fraction, seed=plan.recipe.seed, purpose="val")
    is_val = np.array([name in held for name in ids])
    if not is_val.any():
        raise ConfigError("no clip is left to validate on; give each class two clips or more, and val_fraction over 0")
    if (~is_val).sum() < plan.recipe.batch:
        raise ConfigError(f"{(~is_val).sum()} training clips are fewer than batch = {plan.recipe.batch}; lower batch")
    prepare = Prepare(spec.input.fit_stored, spec.input.to_input)
    train, val = (
        SampleDataset(
            {"events": Field(SampleArray(clips[rows]), prepare)}, LabelSets.single(numbers[rows], len(spec.classes))
        )
        for rows in (~is_val, is_val)
    )
    return TrainingData(train, val)
