"""Stage `evaluate`: codes and index to metrics, curves and energy."""

from __future__ import annotations

from spikinghash.codes.database import CodeDatabase
from spikinghash.data.store import SampleStore
from spikinghash.evaluation.accuracy import has_classifier, top1_accuracy
from spikinghash.evaluation.baseline import baseline_name, count_image_map
from spikinghash.evaluation.energy import estimate_energy_of
from spikinghash.evaluation.evaluate import evaluate as measure
from spikinghash.evaluation.provenance import describe_task
from spikinghash.evaluation.similar_classes import similar_classes
from spikinghash.evaluation.write import write_evaluation
from spikinghash.index.flat import HammingIndex
from spikinghash.params import Params
from spikinghash.training.checkpoint import load_model
from stages.run_stage import CODES, FRAMES, INDEX, MODEL, REPORTS, run


def evaluate(params: Params) -> None:
    """Measure the query split against the database splits."""
    e, store, model = params.evaluate, SampleStore.open(FRAMES), load_model(MODEL)
    codes = CodeDatabase.open(CODES).load(model.digest)
    queries, gallery = codes.in_splits([e.query_split]), codes.in_splits(e.database_splits)
    similar = similar_classes(store, e.database_splits)
    found = measure(queries, HammingIndex.load(INDEX), gallery, e.k, params.report.neighbours, e.empty, similar)
    if has_classifier(model):
        found.metrics["accuracy"] = top1_accuracy(model, store, e.query_split)
    energy = estimate_energy_of(model, store, e.query_split)
    task = describe_task(queries, gallery, model, store, splits=(e.query_split, e.database_splits))
    task |= {"dataset": params.dataset.path, "empty": e.empty, "similar_classes": sorted(map(sorted, similar))}
    value = count_image_map(store, e.query_split, e.database_splits, e.empty)
    baseline = {"name": baseline_name(store.spec), "map": value}
    write_evaluation(REPORTS, found, energy, baseline, task, model.card["training"], gallery)


if __name__ == "__main__":
    run(evaluate)
