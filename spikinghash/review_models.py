"""The page on two measured models, put together: figures by `evaluation`, drawings by `report`."""

from __future__ import annotations

from pathlib import Path

from spikinghash.data.store import SampleStore
from spikinghash.evaluation.compare_models import compare_models
from spikinghash.evaluation.gate import Verdict
from spikinghash.evaluation.review import review
from spikinghash.params import Params
from spikinghash.report.review_page import Side, write_review


def review_models(
    params: Params, sides: tuple[Side, Side], verdict: Verdict, store: SampleStore, out: Path, again: str
) -> Path:
    """Look closer at two models that were measured on `store` and write the page `out`; `again` makes it once more.

    `verdict` is the gate's on the second with the first as champion.
    """
    first, second = (side.measured for side in sides)
    comparison = compare_models(first.evidence, second.evidence, verdict)
    found = review(first, second, comparison, params.gate.confidence, params.evaluate.empty)
    return write_review(out, found, sides, store, again)
