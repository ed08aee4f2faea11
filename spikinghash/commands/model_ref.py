"""Where a model reference leads."""

from __future__ import annotations

from pathlib import Path

from spikinghash.codes.encoder import Encoder
from spikinghash.params import load_params
from spikinghash.training.checkpoint import LoadedModel, load_model


def open_model(ref: str) -> LoadedModel:
    """The model in a folder, or of the registry for `models:/NAME@alias` and `models:/NAME/VERSION`."""
    if ref.startswith("models:/"):
        from spikinghash.tracking.registry import fetch

        return load_model(fetch(load_params(Path("params.yaml")).tracking.uri, ref))
    return load_model(Path(ref))


def open_encoder(ref: str) -> Encoder:
    """A model ready to hash."""
    return Encoder(open_model(ref))
