"""Models measured alike on the queries of the project: one against the champion, or two registered versions."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from spikinghash.data.store import SampleStore
from spikinghash.errors import BadCheckpoint, StaleModel
from spikinghash.evaluation.compare_models import Comparison, compare_models
from spikinghash.evaluation.gate import Bounds, Finding, Verdict, judge
from spikinghash.evaluation.gather_evidence import gather_evidence
from spikinghash.evaluation.measured import Measured
from spikinghash.files import write_json
from spikinghash.params import Params
from spikinghash.report.review_page import Side
from spikinghash.review_models import review_models
from spikinghash.tracking.add_model import REVIEW
from spikinghash.tracking.champion import champion_of, champion_version
from spikinghash.tracking.registry import load_registered
from spikinghash.training.checkpoint import LoadedModel, load_model

#: The verdict, beside the evaluation.
GATE = "gate.json"


def judge_model(
    params: Params, model: Path, frames: Path, reports: Path, place: tuple[str, str],
    progress: Callable[[int, int], None] | None = None,
) -> Verdict:  # fmt: skip
    """Measure the model in a folder and the champion at `place` (address, name) alike, and write `reports/gate.json`
    and, where there is another champion, the page `reports/review.html`.

    Without a champion the bounds for a first one hold. A champion that takes other frames, or does not load, cannot be
    compared: that is a finding of its own.
    """
    store, candidate = SampleStore.open(frames), load_model(model)
    mine = _measured(params, candidate, store, progress)
    champion, theirs = None, None
    cannot: tuple[Finding, ...] = ()
    try:
        champion = champion_of(*place)
        if champion is not None:
            same = champion.digest == candidate.digest
            theirs = mine if same else _measured(params, champion, store, progress)
    except (StaleModel, BadCheckpoint) as error:
        said = f"the champion cannot be measured here: {error}"
        cannot = (Finding("comparable", False, None, None, said),)
    verdict = judge(mine.evidence, None if theirs is None else theirs.evidence, Bounds(**params.gate.model_dump()))
    verdict = replace(verdict, findings=(*cannot, *verdict.findings))
    write_json(reports / GATE, verdict.to_dict())
    page = reports / REVIEW
    page.unlink(missing_ok=True)  # one that is there is of other models
    if champion is not None and theirs is not None and theirs is not mine:
        first = Side(f"the champion, version {champion_version(*place)}", theirs, champion.card)
        second = Side("the challenger", mine, candidate.card)
        review_models(params, (first, second), verdict, store, page, "spikinghash registry gate")
    return verdict


def compare_versions(
    params: Params, versions: tuple[int, int], frames: Path, place: tuple[str, str],
    progress: Callable[[int, int], None] | None = None, page: Path | None = None,
) -> Comparison:  # fmt: skip
    """Two registered versions on the queries of the project, with a page for a reviewer where one is named.

    Errors of loading, `StaleModel` for other frames.
    """
    store, (uri, name) = SampleStore.open(frames), place
    models = [load_registered(uri, f"models:/{name}/{version}") for version in versions]
    first, second = (_measured(params, model, store, progress) for model in models)
    verdict = judge(second.evidence, first.evidence, Bounds(**params.gate.model_dump()))
    if page is not None:
        names = [str(version) for version in versions]
        again = shlex.join(["spikinghash", "registry", "compare", *names, "--page", str(page)])
        a = Side(f"version {names[0]}", first, models[0].card)
        b = Side(f"version {names[1]}", second, models[1].card)
        review_models(params, (a, b), verdict, store, page, again)
    return compare_models(first.evidence, second.evidence, verdict)


def _measured(
    params: Params, model: LoadedModel, store: SampleStore, progress: Callable[[int, int], None] | None
) -> Measured:
    e = params.evaluate
    return gather_evidence(model, store, e.query_split, e.database_splits, e.empty, params.encode.batch, progress)
