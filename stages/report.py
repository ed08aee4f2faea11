"""Stage `report`: one self-contained page, attached to the MLflow run."""

from __future__ import annotations

import json

from spikinghash.params import Params
from spikinghash.report.html import build_report
from spikinghash.tracking.run import attach
from stages.door import FRAMES, REPORTS, run


def report(params: Params) -> None:
    """Build and attach the report."""
    r = params.report
    page = build_report(REPORTS, FRAMES, REPORTS / "report.html", queries=r.queries, neighbours=r.neighbours)
    run_id = json.loads((REPORTS / "run.json").read_text())["run_id"]
    attach(params.tracking.uri, run_id, page)


if __name__ == "__main__":
    run(report)
