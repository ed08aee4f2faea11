"""A model on one page of Markdown, for whoever decides about it in the registry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from spikinghash.report.units import figure

_FEW_CLASSES = 20
_LIMITS = (
    "Measured on the classes and recordings below; codes of other kinds of recordings were not looked at.",
    "Queries and database come from one data set and one camera setting.",
    "Energy is an estimate from operation counts and firing rates, at 4.6 pJ a MAC and 0.9 pJ an accumulation.",
)


def model_card(evaluation: Mapping[str, Any], verdict: Mapping[str, Any] | None, model: Mapping[str, Any]) -> str:
    """From `evaluation.json`, a gate's verdict, and `method`, `options` and `bits` of the model."""
    parts = _head(evaluation, model), _gate(verdict), _quality(evaluation), _limits(evaluation), _again(evaluation)
    return "\n".join(line for part in parts for line in part) + "\n"


def _head(evaluation: Mapping[str, Any], model: Mapping[str, Any]) -> Iterator[str]:
    task, training = evaluation["task"], evaluation["training"]
    recipe = training["recipe"]
    kept = "the last epoch" if training["best_epoch"] is None else f"epoch {training['best_epoch']}"
    size = model["options"].get("network_size", "")
    yield f"# {' '.join(filter(None, [model['method'], size]))}, {model['bits']} bits, `{task['model_digest']}`"
    yield ""
    yield (
        f"Trained on {_cell(task.get('dataset', 'data'))}: {recipe['epochs']} epochs, seed {recipe['seed']}, "
        f"{training['seconds']:.0f} s, {training['parameters']:,} parameters; {kept} was kept."
    )


def _gate(verdict: Mapping[str, Any] | None) -> Iterator[str]:
    yield from ("", "## Gate", "")
    if verdict is None:
        yield "No gate has judged it."
        return
    against = f"against the champion `{verdict['champion']}`" if verdict["champion"] else "as the first champion"
    yield f"**{'Passed' if verdict['passed'] else 'Refused'}** {against}."
    yield from ("", "| rule | verdict | figure | bound | |", "|---|---|---|---|---|")
    for one in verdict["findings"]:
        said = "passed" if one["passed"] else "**refused**"
        yield f"| {one['rule']} | {said} | {figure(one['figure'])} | {figure(one['bound'])} | {_cell(one['said'])} |"


def _quality(evaluation: Mapping[str, Any]) -> Iterator[str]:
    task, metrics, bits = evaluation["task"], evaluation["metrics"], evaluation["bits"]
    ap = metrics["map"]
    yield from ("", "## Quality and cost", "")
    yield (
        f"{task['queries']:,} queries of the split {task['query_split']} against {task['database']:,} of "
        f"{' and '.join(task['database_splits'])}; ties as expected, in brackets in the worst and the best order."
    )
    yield from ("", "| | |", "|---|---|")
    yield f"| mAP | {ap['value']:.4f} ({ap['worst']:.4f} to {ap['best']:.4f}) |"
    if "accuracy" in metrics:
        yield f"| accuracy of its classifier | {metrics['accuracy']['value']:.4f} |"
    yield f"| {_cell(evaluation['baseline']['name'])} | {evaluation['baseline']['map']:.4f} |"
    yield f"| energy | {evaluation['energy_mj'] * 1e3:.2f} uJ a clip |"
    yield f"| dead bits; distinct codes | {len(bits['dead'])} of {bits['bits']}; {bits['distinct']:.1%} of the clips |"


def _limits(evaluation: Mapping[str, Any]) -> Iterator[str]:
    names = evaluation["task"]["classes"]
    few = ", ".join(map(_cell, names[:_FEW_CLASSES])) + (" ..." if len(names) > _FEW_CLASSES else "")
    yield from ("", "## Limits", "")
    yield from (f"- {line}" for line in _LIMITS)
    yield f"- {len(names)} classes: {few}"


def _again(evaluation: Mapping[str, Any]) -> Iterator[str]:
    task = evaluation["task"]
    yield from ("", "## How to make it again", "")
    yield from ("`dvc repro` with the parameters of this version's run, on these:", "")
    digests = {"data": task["data_digest"], "frames": task["frames_digest"], "kernels": evaluation["kernels"]}
    yield from (f"- {name} `{digest[:16]}`" for name, digest in digests.items())


def _cell(text: Any) -> str:
    """Text of strangers within a table: no new cells, lines, or markup."""
    flat = " ".join(str(text).split())
    return "".join(f"\\{c}" if c in "|`*_<>[]\\#" else c for c in flat)
