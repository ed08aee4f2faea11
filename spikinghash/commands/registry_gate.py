"""What `spikinghash registry` does before a champion changes, and how it tells it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from spikinghash.visible import visible

if TYPE_CHECKING:
    from spikinghash.codes.encode_report import EncodeReport
    from spikinghash.evaluation.compare_models import Comparison
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


def tell_verdict(verdict: Verdict, other: str = "champion") -> None:
    """A line for each rule, and one for all of them; `other` is what the model was compared with."""
    for one in verdict.findings:
        typer.echo(f"{'passed ' if one.passed else 'REFUSED'}  {one.rule:10}  {one.said}")
    against = f"against {other} {verdict.champion}" if verdict.champion else "as the first champion"
    typer.echo(f"{'passed' if verdict.passed else 'REFUSED'}: model {verdict.candidate} {against}")


def tell_comparison(found: Comparison, versions: tuple[int, int]) -> None:
    """Both as wholes, classes by what they lost, and what the gate would say."""
    a, b = found.to_dict()["first"], found.to_dict()["second"]
    typer.echo(f"{'':12}  {f'version {versions[0]}':>12}  {f'version {versions[1]}':>12}  {'change':>8}")
    for key in ("map", "map_worst", "map_best", "energy_uj", "dead_bits", "drift"):
        known = a[key] is not None and b[key] is not None
        cells = (f"{one[key]:12.4f}" if one[key] is not None else f"{'-':>12}" for one in (a, b))
        typer.echo(f"{key:12}  {'  '.join(cells)}  {f'{b[key] - a[key]:+8.4f}' if known else ''}".rstrip())
    for row in found.classes:
        name = visible(row.label)[:12]
        typer.echo(
            f"{name:12}  {row.first:12.4f}  {row.second:12.4f}  {row.second - row.first:+8.4f}  {row.queries} queries"
        )
    tell_verdict(found.verdict, f"version {versions[0]},")


def promote_and_tell(
    place: tuple[str, str], version: int, reason: str, override: str | None, db: str, archives: Sequence[Path],
    wait_s: float,
) -> EncodeReport | None:  # fmt: skip
    """Promote a version whose codes are in `db`, after hashing `archives`; what was hashed, and errors of
    `promote_with_codes`.
    """
    from spikinghash.codes.signals import stop_on_signals
    from spikinghash.progress import progress_bar
    from spikinghash.promote_with_codes import promote_with_codes

    with stop_on_signals() as stop, progress_bar("backfill") as progress:
        _, done = promote_with_codes(
            place, version, reason, override, db, archives, runs=Path(".runs"), wait_s=wait_s, progress=progress,
            stop=stop,
        )  # fmt: skip
    if done is not None:
        said = f"{done.committed} hashed, {done.skipped} known, {done.quarantined} refused"
        typer.echo(f"spikinghash: backfill: {said}", err=True)
    return done
