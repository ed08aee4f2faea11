"""Studies, run in the folder `experiments`: `stages.experiment frames SET`, `... study NAME`, `... table`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from spikinghash.configs import cache_of, model_spec, recipe
from spikinghash.data.store import SampleStore
from spikinghash.experiments.check_protocol import check_framing, check_left_out
from spikinghash.experiments.pool import run_trials
from spikinghash.experiments.summary import markdown, summarise
from spikinghash.experiments.trial import Other, Trial
from spikinghash.files import write_atomically, write_json
from spikinghash.params import Params
from spikinghash.progress import progress_bar
from spikinghash.study_params import Studies, Study, changed, known, load_studies
from stages.ingest import ingest_into
from stages.run_stage import call_verb, run

STUDIES, PARAMS = Path("studies.yaml"), Path("../params.yaml")
FRAMES, RESULTS = Path("frames"), Path("results")


def frames(name: str) -> None:
    """Frame the recordings of a set."""
    studies = load_studies(STUDIES)
    known(STUDIES, "sets", name, studies.sets)
    ingest_into(changed(PARAMS, studies.sets[name]), FRAMES / name)


def study(name: str) -> None:
    """Train and measure every arm of a study with every seed."""
    studies = load_studies(STUDIES)
    known(STUDIES, "studies", name, studies.studies)
    asked = studies.studies[name]
    store = SampleStore.open(FRAMES / asked.set)
    check_left_out(name, asked.leave_out, store.classes)
    trials = _trials(studies, asked, store)
    with progress_bar(f"study {name} (trials)") as progress:
        results = run_trials(trials, progress=progress)
    facts: dict[str, Any] = {"study": name, "set": asked.set, "task": asked.task, "epochs": trials[0].recipe.epochs}
    if asked.leave_out:
        facts["left_out"] = asked.leave_out
    if asked.search:
        facts["searched_digests"] = {one: SampleStore.open(FRAMES / one).digest for one in asked.search}
    write_json(
        RESULTS / f"{name}.json", facts | {"data_digest": store.digest, "rows": summarise(results), "trials": results}
    )


def _trials(studies: Studies, asked: Study, store: SampleStore) -> list[Trial]:
    """Every arm with every seed."""
    stores = {one: SampleStore.open(FRAMES / one) for one in asked.search}
    others = {one: Other(str(FRAMES / one), changed(PARAMS, studies.sets[one]).evaluate.empty) for one in stores}
    trials = []
    for arm in asked.arms:
        p = changed(PARAMS, studies.sets[asked.set], asked.change, studies.arms[arm])
        spec = model_spec(p, store)
        for other in stores.values():
            check_framing(other, spec)
        for seed in asked.seeds:
            # what a closed form draws, it draws anew with each seed
            seeded = spec.changed(seed=seed) if "seed" in spec.options else spec
            one = Trial(
                arm, str(FRAMES / asked.set), asked.task, seeded, replace(recipe(p), seed=seed), p.evaluate.empty,
                cache_of(p), asked.leave_out, others,
            )  # fmt: skip
            trials.append(one)
    return trials


def table() -> None:
    """All results there are, as Markdown."""
    parts = [markdown(json.loads(path.read_bytes())) for path in sorted(RESULTS.glob("*.json"))]
    write_atomically(RESULTS / "tables.md", "\n".join(parts).encode())


def main(_: Params) -> None:
    """Do what the command line asks for."""
    call_verb({"frames SET": frames, "study NAME": study, "table": table})


if __name__ == "__main__":
    run(main, PARAMS)
