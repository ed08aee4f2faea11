"""Parameters of the file to the plain values the library takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from spikinghash.data.sample_spec import FieldSpec
from spikinghash.data.store import SampleStore
from spikinghash.errors import ConfigError
from spikinghash.methods.frame_options import FrameOptions
from spikinghash.methods.model_input import ModelInput
from spikinghash.methods.options import options_of
from spikinghash.methods.registry import entry_of
from spikinghash.methods.spec import ModelSpec
from spikinghash.params import ModelParams, ProjectParams, TrainParams
from spikinghash.training.augment import Augmentation
from spikinghash.training.recipe import Recipe


def model_spec(params: ProjectParams, store: SampleStore) -> ModelSpec:
    """What to build for these samples; `ConfigError` where the method cannot be trained on them."""
    if entry_of(params.model.method).labels != "unseen" and len(store.classes) < 2:
        raise ConfigError(f"{store.path} has the classes {list(store.classes)}; with fewer than two nothing is learned")
    _options(params)  # before samples are looked at: what is wrong there is no fault of theirs
    try:
        return spec_of(params, store.spec.fields, tuple(store.classes))
    except ConfigError as error:
        raise ConfigError(f"{store.path}: {error}") from None


def spec_of(params: ProjectParams, fields: Mapping[str, FieldSpec], classes: tuple[str, ...]) -> ModelSpec:
    """What to build for samples of these descriptions and labels of these names."""
    m, entry = params.model, entry_of(params.model.method)
    inputs = {name: _input(params, fields[name]) for name in entry.takes(fields)}
    options = _options(params)
    seen = () if entry.labels == "unseen" else classes
    spec = ModelSpec(m.method, m.bits, seen, inputs, options, m.variant)
    steps = options.get("steps")
    if entry.options is FrameOptions and steps is not None and spec.input.steps not in (1, steps):
        raise ConfigError(f"model.steps is {steps}, but clips have {spec.input.steps} steps; set it to null")
    return spec


def _options(params: ProjectParams) -> dict[str, Any]:
    """All options of the method, checked, and that it knows the variant."""
    m, entry = params.model, entry_of(params.model.method)
    if m.variant not in entry.variants:
        known = ", ".join(entry.variants)
        raise ConfigError(f"model.variant: {m.method} has no variant {m.variant!r}; one of: {known}")
    given = _frame_options(params) if entry.options is FrameOptions else m.options
    if given is not m.options and m.options:
        raise ConfigError(f"model.options is for other methods; {m.method} has its own keys in model and train")
    return asdict(options_of(entry.options, given, m.method))


def _input(params: ProjectParams, field: FieldSpec) -> ModelInput:
    if field.kind not in ("events", "image"):
        return ModelInput(field)
    if not isinstance(params.model, ModelParams):
        raise ConfigError(
            f"{params.model.method} takes {field.kind}, which are trained on in the project of recordings"
        )
    return ModelInput(field, *params.model.input, params.model.count_clip)


def _frame_options(params: ProjectParams) -> dict[str, Any]:
    m, t = params.model, params.train
    if not isinstance(m, ModelParams) or not isinstance(t, TrainParams):
        raise ConfigError(f"{m.method} is trained in the project of recordings, not in one of pairs")
    return {
        "network_size": m.network_size, "surrogate": m.surrogate, "steps": m.steps, "alpha": t.alpha, "beta": t.beta,
        "smoothing": t.smoothing, "soft": t.soft, "balance": t.balance,
    }  # fmt: skip


def cache_of(params: ProjectParams) -> str | None:
    """Absolute path of the folder for caches of sample stores; None for the user's cache folder."""
    named = params.data.cache
    return None if named is None else str(Path(named).expanduser().resolve())


def recipe(params: ProjectParams) -> Recipe:
    """How to train."""
    t = params.train
    augmentation = Augmentation(**t.augment.model_dump()) if isinstance(t, TrainParams) else Augmentation()
    return Recipe(
        t.epochs, t.batch, t.lr, t.seed, t.weight_decay, t.warmup, t.optimiser, t.grad_clip, t.checkpoint_every,
        t.checkpoint_steps, augmentation=augmentation, amp=t.amp, accumulate=t.accumulate,
        activation_checkpointing=t.activation_checkpointing, select=t.select, betas=t.betas,
    )  # fmt: skip
