"""Stage `report`: one self-contained page."""

from __future__ import annotations

from spikinghash.params import Params
from spikinghash.report.html import build_report
from stages.run_stage import FRAMES, REPORTS, run


def report(params: Params) -> None:
    """Build the page."""
    r = params.report
    build_report(REPORTS, FRAMES, REPORTS / "report.html", queries=r.queries, neighbours=r.neighbours)


if __name__ == "__main__":
    run(report)
