"""Parameters of the file to the plain values the library takes."""

from __future__ import annotations

from pathlib import Path

from spikinghash.data.described import digest_of, framing_of, to_text
from spikinghash.data.sample_spec import FieldSpec
from spikinghash.data.store import SampleStore
from spikinghash.errors import ConfigError
from spikinghash.frames.framing import sensor_of
from spikinghash.methods.method import LossWeights
from spikinghash.methods.spec import ModelSpec
from spikinghash.params import Params
from spikinghash.training.augment import Augmentation
from spikinghash.training.recipe import Recipe

#: Modalities that a model can be trained on by `params.yaml`, the first one that a store has.
_TRAINABLE = ("events", "image")


def model_spec(params: Params, store: SampleStore) -> ModelSpec:
    """What to build for these frames; `ConfigError` where `model.steps` would change frames of several steps."""
    steps = params.model.steps
    if len(store.classes) < 2:
        raise ConfigError(f"{store.path} has the classes {list(store.classes)}; with fewer than two nothing is learned")
    fields = store.spec.fields
    known = [name for name in _TRAINABLE if name in fields and fields[name].kind == name]
    if not known:
        raise ConfigError(f"{store.path} has {', '.join(fields)}; a model is trained on {' or '.join(_TRAINABLE)}")
    field = fields[known[0]]
    if steps is not None and _steps(field) not in (1, steps):
        raise ConfigError(f"model.steps is {steps}, but {store.path} has {_steps(field)} steps; set it to null")
    return spec_of(params, field, tuple(store.classes))


def spec_of(params: Params, field: FieldSpec, classes: tuple[str, ...]) -> ModelSpec:
    """What to build for samples of that description and labels of these names."""
    m = params.model
    return ModelSpec(
        m.method, m.network_size, m.bits, classes, m.steps or _steps(field), m.input[0], m.input[1], _sensor(field),
        m.count_clip, m.surrogate, digest_of(field), to_text(field), m.variant,
    )  # fmt: skip


def _steps(field: FieldSpec) -> int:
    return field.shape[0] if field.kind == "events" else 1


def _sensor(field: FieldSpec) -> tuple[int, int]:
    """(width, height) of recordings, or of pictures."""
    return sensor_of(framing_of(field)) if field.kind == "events" else (field.shape[-1], field.shape[-2])


def loss_weights(params: Params) -> LossWeights:
    """alpha, beta and how pairs are judged."""
    t = params.train
    return LossWeights(t.alpha, t.beta, t.smoothing, t.soft, t.balance)


def cache_of(params: Params) -> str | None:
    """Absolute path of the folder for caches of sample stores; None for the user's cache folder."""
    named = params.data.cache
    return None if named is None else str(Path(named).expanduser().resolve())


def recipe(params: Params) -> Recipe:
    """How to train."""
    t = params.train
    augmentation = Augmentation(**t.augment.model_dump())
    return Recipe(
        t.epochs, t.batch, t.lr, t.seed, t.weight_decay, t.warmup, t.optimiser, t.grad_clip, t.checkpoint_every,
        t.checkpoint_steps, augmentation=augmentation, amp=t.amp, accumulate=t.accumulate,
        activation_checkpointing=t.activation_checkpointing,
    )  # fmt: skip
