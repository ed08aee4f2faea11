"""Stage `evaluate` of a project of pairs: codes to metrics of retrieval between modalities."""

from __future__ import annotations

from spikinghash.codes.database import CodeDatabase
from spikinghash.data.store import SampleStore
from spikinghash.evaluation.directions import directions_of, evaluate_directions
from spikinghash.evaluation.write_directions import write_directions
from spikinghash.pair_params import PairParams, load_pair_params
from spikinghash.training.checkpoint import load_model
from stages.run_stage import CODES, FEATURES, MODEL, REPORTS, run_with


def evaluate_pairs(params: PairParams) -> None:
    """Measure the query split against the database splits, and against what nothing was trained on."""
    e, model = params.evaluate, load_model(MODEL)
    codes = CodeDatabase.open(CODES).load(model.digest)
    queries = codes.in_splits([e.query_split])
    found = {}
    for name, splits in (("database", e.database_splits), ("not trained on", ("database",))):
        if name == "database" or "database" in set(codes.splits):
            gallery = codes.in_splits(splits)
            found[name] = evaluate_directions(queries, gallery, directions_of(codes), empty=e.empty)
    write_directions(REPORTS, found, model, SampleStore.open(FEATURES).digest)


if __name__ == "__main__":
    run_with(load_pair_params, evaluate_pairs)
