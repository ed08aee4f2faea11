"""Studies, run in the folder `experiments`: `stages.experiment frames SET`, `... study NAME`, `... table`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from spikinghash.configs import cache_of, model_spec, recipe
from spikinghash.data.store import SampleStore
from spikinghash.experiments.pool import run_trials
from spikinghash.experiments.summary import markdown, summarise
from spikinghash.experiments.trial import Trial
from spikinghash.files import write_atomically, write_json
from spikinghash.params import Params
from spikinghash.progress import progress_bar
from spikinghash.study_params import changed, known, load_studies
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
    trials = []
    for arm in asked.arms:
        p = changed(PARAMS, studies.sets[asked.set], asked.change, studies.arms[arm])
        spec = model_spec(p, store)
        trials += [
            Trial(
                arm,
                str(FRAMES / asked.set),
                asked.task,
                spec,
                replace(recipe(p), seed=s),
                p.evaluate.empty,
                cache_of(p),
            )
            for s in asked.seeds
        ]
    with progress_bar(f"study {name} (trials)") as progress:
        results = run_trials(trials, progress=progress)
    facts = {"study": name, "set": asked.set, "task": asked.task, "epochs": trials[0].recipe.epochs}
    write_json(
        RESULTS / f"{name}.json", facts | {"data_digest": store.digest, "rows": summarise(results), "trials": results}
    )


def table() -> None:
    """All results there are, as Markdown."""
    parts = [markdown(json.loads(path.read_bytes())) for path in sorted(RESULTS.glob("*.json"))]
    write_atomically(RESULTS / "tables.md", "\n".join(parts).encode())


def main(_: Params) -> None:
    """Do what the command line asks for."""
    call_verb({"frames SET": frames, "study NAME": study, "table": table})


if __name__ == "__main__":
    run(main, PARAMS)
