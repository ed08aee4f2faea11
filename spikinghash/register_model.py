"""A judged model into the registry, with its card as the description of the version."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spikinghash.files import write_atomically
from spikinghash.params import Params, ProjectParams
from spikinghash.report.model_card import model_card
from spikinghash.tracking.add_model import Added, add_model, evaluation_of
from spikinghash.training.checkpoint import load_model

#: Beside the evaluation, and with the run.
CARD = "model_card.md"


def register_model(
    params: ProjectParams, model: Path, reports: Path, place: tuple[str, str], verdict: Mapping[str, Any] | None
) -> Added:
    """Write the card and register the model in a folder as a challenger; errors of `add_model`.

    A model of pairs, whose evaluation is another, has no card yet.
    """
    text = None
    if isinstance(params, Params):
        loaded = load_model(model)
        facts = {"method": loaded.spec.method, "options": loaded.spec.options, "bits": loaded.spec.bits}
        text = model_card(evaluation_of(reports, model, loaded.digest), verdict, facts)
        write_atomically(reports / CARD, text.encode())
    return add_model(*place, model, reports, params.model_dump(), verdict, text)
