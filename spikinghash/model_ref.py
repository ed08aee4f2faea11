"""Where a model reference leads: a folder, or a version in the registry."""

from __future__ import annotations

import re
from pathlib import Path

from spikinghash.codes.encoder import Encoder
from spikinghash.registry_place import registry_place
from spikinghash.training.checkpoint import LoadedModel, load_model


def open_model(ref: str, registry: str | None = None) -> LoadedModel:
    """The model in a folder, or of the registry for `models:/NAME@alias` and `models:/NAME/VERSION`.

    `registry` is its address, by default the one in params.yaml. Raises `BadCheckpoint`, `ConfigError` where no
    registry is named, `Temporary` where it does not answer.
    """
    if ref.startswith("models:/"):
        from spikinghash.tracking.registry import load_registered

        return load_registered(registry or registry_place()[0], ref)
    return load_model(Path(ref))


def digest_of(ref: str | None) -> str | None:
    """The digest that codes of a model carry, for a digest, a folder or a registered model; None for None."""
    if ref is None or re.fullmatch(r"[0-9a-f]{16,64}", ref):
        return ref
    return open_model(ref).digest


def open_encoder(ref: str) -> Encoder:
    """A model ready to hash."""
    return Encoder(open_model(ref))
