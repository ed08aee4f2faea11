"""Models measured alike on the queries of the project: one against the champion, or two registered versions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from spikinghash.data.store import SampleStore
from spikinghash.errors import BadCheckpoint, StaleModel
from spikinghash.evaluation.compare_models import Comparison, compare_models
from spikinghash.evaluation.gate import Bounds, Evidence, Finding, Verdict, judge
from spikinghash.evaluation.gather_evidence import gather_evidence
from spikinghash.files import write_json
from spikinghash.params import Params
from spikinghash.tracking.champion import champion_of
from spikinghash.tracking.registry import load_registered
from spikinghash.training.checkpoint import LoadedModel, load_model

#: The verdict, beside the evaluation.
GATE = "gate.json"


def judge_model(
    params: Params, model: Path, frames: Path, reports: Path, place: tuple[str, str],
    progress: Callable[[int, int], None] | None = None,
) -> Verdict:  # fmt: skip
    """Measure the model in a folder and the champion at `place` (address, name) alike, and write `reports/gate.json`.

    Without a champion the bounds for a first one hold. A champion that takes other frames, or does not load, cannot be
    compared: that is a finding of its own.
    """
    store, candidate = SampleStore.open(frames), load_model(model)
    bounds = Bounds(**params.gate.model_dump())
    mine = _evidence(params, candidate, store, progress)
    try:
        champion = champion_of(*place)
        theirs = None
        if champion is not None:
            theirs = mine if champion.digest == candidate.digest else _evidence(params, champion, store, progress)
        verdict = judge(mine, theirs, bounds)
    except (StaleModel, BadCheckpoint) as error:
        verdict = judge(mine, None, bounds)
        cannot = Finding("comparable", False, None, None, f"the champion cannot be measured here: {error}")
        verdict = replace(verdict, findings=(cannot, *verdict.findings))
    write_json(reports / GATE, verdict.to_dict())
    return verdict


def compare_versions(
    params: Params, versions: tuple[int, int], frames: Path, place: tuple[str, str],
    progress: Callable[[int, int], None] | None = None,
) -> Comparison:  # fmt: skip
    """Two registered versions on the queries of the project; errors of loading, `StaleModel` for other frames."""
    store, (uri, name) = SampleStore.open(frames), place
    first, second = (
        _evidence(params, load_registered(uri, f"models:/{name}/{version}"), store, progress) for version in versions
    )
    return compare_models(first, second, judge(second, first, Bounds(**params.gate.model_dump())))


def _evidence(
    params: Params, model: LoadedModel, store: SampleStore, progress: Callable[[int, int], None] | None
) -> Evidence:
    e = params.evaluate
    return gather_evidence(model, store, e.query_split, e.database_splits, e.empty, params.encode.batch, progress)
