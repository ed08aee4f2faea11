"""The gate as `spikinghash registry` runs and tells it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from spikinghash.evaluation.gate import Verdict
    from spikinghash.params import ProjectParams


def judged(params: ProjectParams, model: Path, frames: Path, reports: Path, place: tuple[str, str]) -> Verdict | None:
    """The gate's verdict; None without frames, and for models of pairs, for which there are no rules yet."""
    from spikinghash.judge_model import judge_model
    from spikinghash.params import Params
    from spikinghash.progress import progress_bar

    if not isinstance(params, Params) or not frames.exists():
        return None
    with progress_bar("gate (clips)") as progress:
        return judge_model(params, model, frames, reports, place, progress)


def tell_verdict(verdict: Verdict) -> None:
    """A line for each rule, and one for all of them."""
    for one in verdict.findings:
        typer.echo(f"{'passed ' if one.passed else 'REFUSED'}  {one.rule:10}  {one.said}")
    against = f"against champion {verdict.champion}" if verdict.champion else "as the first champion"
    typer.echo(f"{'passed' if verdict.passed else 'REFUSED'}: model {verdict.candidate} {against}")
