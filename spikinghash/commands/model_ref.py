"""Where a model reference leads."""

from __future__ import annotations

import re
from pathlib import Path

from spikinghash.codes.encoder import Encoder
from spikinghash.params import load_params
from spikinghash.training.checkpoint import LoadedModel, load_model


def open_model(ref: str) -> LoadedModel:
    """The model in a folder, or of the registry for `models:/NAME@alias` and `models:/NAME/VERSION`."""
    if ref.startswith("models:/"):
        from spikinghash.tracking.registry import load_registered

        uri, _ = registry_place()
        return load_registered(uri, ref)
    return load_model(Path(ref))


def registry_place(uri: str | None = None, name: str | None = None) -> tuple[str, str]:
    """Address of the registry and name of the registered model; what is not given is read from params.yaml."""
    if uri is not None and name is not None:
        return uri, name
    tracking = load_params(Path("params.yaml")).tracking
    return uri or tracking.uri, name or tracking.experiment


def digest_of(ref: str | None) -> str | None:
    """The digest that codes of a model carry, for a digest, a folder or a registered model; None for None."""
    if ref is None or re.fullmatch(r"[0-9a-f]{16,64}", ref):
        return ref
    return open_model(ref).digest


def open_encoder(ref: str) -> Encoder:
    """A model ready to hash."""
    return Encoder(open_model(ref))
