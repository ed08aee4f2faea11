"""Results of retrieval between modalities as files: everything as JSON, a few numbers flat, and a table to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from spikinghash.evaluation.directions import Found
from spikinghash.evaluation.machine import describe_machine
from spikinghash.files import write_atomically, write_json
from spikinghash.kernels.digest import kernel_digest
from spikinghash.training.checkpoint import LoadedModel


def write_directions(reports: Path, found: Mapping[str, Sequence[Found]], model: LoadedModel, data_digest: str) -> None:
    """Write `evaluation.json`, `metrics.json` and `directions.md` into `reports`; `found` by what was searched."""
    few = flat(found)
    evaluation: dict[str, Any] = {
        "task": {"model_digest": model.digest, "data_digest": data_digest},
        "metrics": {name: {"value": value} for name, value in few.items()},
        "method": model.spec.method,
        "variant": model.spec.variant,
        "options": dict(model.spec.options),
        "bits": model.spec.bits,
        "kernels": kernel_digest(),
        "searched": {name: [one.to_dict() for one in some] for name, some in found.items()},
        "training": {key: model.card["training"].get(key) for key in ("recipe", "parameters", "seconds")},
    }
    write_json(reports / "evaluation.json", evaluation)
    write_json(reports / "metrics.json", few | {"kernels": kernel_digest()})
    write_json(reports / "machine.json", describe_machine())
    write_atomically(reports / "directions.md", table(found).encode())


def flat(found: Mapping[str, Sequence[Found]]) -> dict[str, float]:
    """mAP by what was searched, direction and what codes were made of."""
    return {
        "_".join((name, one.direction.seen, one.direction.name)).replace(" ", "_").replace("-", "_"): (
            one.metrics["map"].value
        )
        for name, some in found.items()
        for one in some
    }


def table(found: Mapping[str, Sequence[Found]]) -> str:
    """Markdown: a part for what was searched and what codes were made of, a line a direction, chance beside each."""
    parts = []
    for name, some in found.items():
        for seen in dict.fromkeys(one.direction.seen for one in some):
            rows = [one for one in some if one.direction.seen == seen]
            metrics = list(rows[0].metrics)
            head = f"Searched: {name}; codes: {seen}\n\n| direction | {' | '.join(metrics)} |\n"
            lines = [head + "|---" * (len(metrics) + 1) + "|"]
            for one in rows:
                cells = [f"{one.metrics[m].value:.3f} (chance {one.chance[m]:.3f})" for m in metrics]
                lines.append(f"| {one.direction.name} | {' | '.join(cells)} |")
            parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)
