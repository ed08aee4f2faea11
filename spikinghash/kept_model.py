"""The registered model that a night used last, kept as a folder: a night hashes also while the registry is away."""

from __future__ import annotations

import re
from pathlib import Path

from spikinghash.errors import Temporary
from spikinghash.model_ref import open_model
from spikinghash.training.checkpoint import CARD, LoadedModel, load_model, save_model


def open_or_kept(ref: str, folder: Path) -> tuple[LoadedModel, str | None]:
    """The model of a reference, and None; or the one kept below `folder`, and why.

    What a registry gives is kept there, by the reference. Errors of `open_model`; `Temporary` where a registry does not
    answer and nothing is kept yet.
    """
    folder = folder / re.sub(r"[^A-Za-z0-9@._-]+", "-", ref)
    try:
        model = open_model(ref)
    except Temporary as error:
        if not (folder / CARD).is_file():
            raise
        return load_model(folder), str(error)
    if ref.startswith("models:/"):
        training = model.card.get("training", {})
        if save_model(folder, model.spec, model.method.network, training) != model.digest:  # type: ignore[arg-type]
            # of an older program, whose description had another form: as another model it must not hash
            (folder / CARD).unlink()
    return model, None
