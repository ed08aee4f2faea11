"""Parameters of the file to the plain values the library takes."""

from __future__ import annotations

from pathlib import Path

from spikinghash.errors import ConfigError
from spikinghash.frames.framing import sensor_of
from spikinghash.frames.schema import FrameMeta
from spikinghash.frames.store import FrameStore
from spikinghash.methods.method import LossWeights
from spikinghash.methods.spec import ModelSpec
from spikinghash.params import Params
from spikinghash.training.augment import Augmentation
from spikinghash.training.recipe import Recipe


def model_spec(params: Params, store: FrameStore) -> ModelSpec:
    """What to build for these frames; `ConfigError` where `model.steps` would change frames of several steps."""
    steps = params.model.steps
    if len(store.classes) < 2:
        raise ConfigError(f"{store.path} has the classes {list(store.classes)}; with fewer than two nothing is learned")
    if steps is not None and store.meta.steps not in (1, steps):
        raise ConfigError(f"model.steps is {steps}, but {store.path} has {store.meta.steps} steps; set it to null")
    return spec_of(params, store.meta, tuple(store.classes))


def spec_of(params: Params, meta: FrameMeta, classes: tuple[str, ...]) -> ModelSpec:
    """What to build for frames of that description and labels of these names."""
    m = params.model
    return ModelSpec(
        m.method, m.network_size, m.bits, classes, m.steps or meta.steps, m.input[0], m.input[1], sensor_of(meta),
        m.count_clip, m.surrogate, meta.digest, meta.to_json(), m.variant,
    )  # fmt: skip


def loss_weights(params: Params) -> LossWeights:
    """alpha, beta and how pairs are judged."""
    t = params.train
    return LossWeights(t.alpha, t.beta, t.smoothing, t.soft, t.balance)


def cache_of(params: Params) -> str | None:
    """Absolute path of the folder for caches of frame stores; None for the user's cache folder."""
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
