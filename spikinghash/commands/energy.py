"""`spikinghash energy`: operations, firing rates and picojoules per layer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spikinghash.commands.output import DEFAULT_MODEL, Json, Model, command, emit


@command
def energy(
    model: Model = DEFAULT_MODEL,
    frames: Annotated[Path, typer.Option(help="Sample store that firing rates are measured on.")] = Path("data/frames"),
    split: Annotated[str, typer.Option(help="Split of the store.")] = "test",
    as_json: Json = False,
) -> int:
    """Estimate the energy of hashing one clip, layer by layer (paper eqs. 25-26)."""
    from spikinghash.data.store import SampleStore
    from spikinghash.evaluation.energy import estimate_energy_of
    from spikinghash.model_ref import open_model
    from spikinghash.project_params import refuse_pairs

    refuse_pairs("reports/evaluation.json has its energy, by modality")
    found = estimate_energy_of(open_model(model), SampleStore.open(frames), split)
    content = found.to_json()

    def text() -> None:
        typer.echo(f"{'layer':34} {'kind':14} {'MACs':>12} {'rate':>6} {'ACs':>12} {'pJ':>12}")
        for x in found.layers:
            typer.echo(f"{x.name:34} {x.kind:14} {x.macs:12,} {x.rate:6.3f} {x.acs:12,.0f} {x.energy_pj:12,.0f}")
        typer.echo(f"total {content['total_mj'] * 1e3:.3f} uJ per clip; constants {content['constants']}")
        for note in content["notes"]:
            typer.echo(f"- {note}")

    emit(content, as_json, text)
    return 0
