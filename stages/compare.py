"""A comparison of methods on sets of pairs: `stages.compare VERB`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from spikinghash.compare_params import arm_params, set_params
from spikinghash.configs import model_spec, recipe
from spikinghash.data.store import SampleStore
from spikinghash.errors import ConfigError
from spikinghash.experiments.pair_table import pair_tables
from spikinghash.experiments.pair_trial import PairTrial, run_pair_trial
from spikinghash.files import write_atomically, write_json
from spikinghash.report.grid_chart import grid_chart, grid_points
from stages.features import featurise_into
from stages.pairs import import_into
from stages.run_stage import call_verb, plainly

FILE, BASE = Path("compare.yaml"), Path("../params.yaml")
#: Arms of the grid begin so.
GRID = "spikehash-grid"
FEATURES, RESULTS = Path("features"), Path("results")


def features(name: str) -> None:
    """Import the pairs of a set and make their features."""
    params = set_params(FILE, BASE, name)
    # the sets name their files from the folder above
    pairs = params.pairs.model_copy(update={"path": str(BASE.parent / params.pairs.path)})
    import_into(pairs, Path("pairs") / name)
    featurise_into(params.features, Path("pairs") / name, FEATURES / name)


def trial(name: str, arm: str, bits: str, seed: str) -> None:
    """Train and measure one arm once."""
    params = arm_params(FILE, BASE, name, arm, int(bits), int(seed))
    store = SampleStore.open(FEATURES / name)
    spec = model_spec(params, store)
    if "seed" in spec.options:
        spec = spec.changed(seed=int(seed))
    done = run_pair_trial(
        PairTrial(arm, str(store.path), spec, replace(recipe(params), seed=int(seed)), params.train.threads)
    )
    write_json(RESULTS / f"{name}-{arm}-{bits}-{seed}.json", {"set": name} | done)


def table() -> None:
    """All results there are, as Markdown."""
    results = [json.loads(path.read_bytes()) for path in sorted(RESULTS.glob("*.json"))]
    write_atomically(Path("tables.md"), pair_tables(results).encode())


def figure(name: str) -> None:
    """The grid of code lengths, time steps and thresholds on one set."""
    results = [json.loads(path.read_bytes()) for path in sorted(RESULTS.glob(f"{name}-{GRID}*.json"))]
    if not results:
        raise ConfigError(f"{RESULTS} has no result of the arms {GRID}*; run `dvc repro`")
    write_atomically(Path("grid.svg"), grid_chart(grid_points(results), f"SpikeHash without its teacher, {name}"))


def main() -> None:
    """Do what the command line asks for."""
    call_verb({"features SET": features, "trial SET ARM BITS SEED": trial, "table": table, "figure SET": figure})


if __name__ == "__main__":
    plainly(main)
