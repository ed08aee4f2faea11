"""Everything a report is made from, read from files and checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from spikinghash.data.store import SampleStore
from spikinghash.errors import BadStore
from spikinghash.files import sha256_file
from spikinghash.report.documents import (
    EnergyFile,
    LedgerFile,
    MetricsFile,
    NeighboursFile,
    SimilarityFile,
    read_document,
)
from spikinghash.report.series import Series, read_series

METRICS, ENERGY, NEIGHBOURS, LEDGER = "evaluation.json", "energy.json", "neighbours.json", "ledger.json"
SIMILARITY = "similarity.json"
PR_CURVE, HISTORY = "plots/pr_curve.csv", "plots/history.csv"
BIT_BALANCE, FIRING_RATES = "plots/bit_balance.csv", "plots/firing_rates.csv"
EVALUATE, INGEST = "evaluate", "ingest"


@dataclass(frozen=True)
class Inputs:
    """Contents of the files of a report; None for those that are not there. `digests` are SHA-256 by file name."""

    metrics: MetricsFile
    frames: SampleStore
    energy: EnergyFile | None
    neighbours: NeighboursFile | None
    similarity: SimilarityFile | None
    ledger: LedgerFile | None
    pr_curve: Series | None
    history: Series | None
    bit_balance: Series | None
    firing_rates: Series | None
    digests: dict[str, str]


def load_files(reports: Path, frames: Path) -> Inputs:
    """Read the files below `reports` and the sample store in `frames`.

    Raises `BadStore`, naming the stage to run, if `evaluation.json` or the sample store is missing or any file
    is damaged.
    """
    metrics = read_document(reports / METRICS, MetricsFile, EVALUATE)
    if metrics is None:
        raise BadStore(f"there is no {reports / METRICS}; run the stage {EVALUATE} first")
    store = SampleStore.open(frames)
    beside = [METRICS, ENERGY, NEIGHBOURS, SIMILARITY, PR_CURVE, HISTORY, BIT_BALANCE, FIRING_RATES]
    digests = {name: sha256_file(reports / name) for name in beside if (reports / name).is_file()}
    return Inputs(
        metrics=metrics,
        frames=store,
        energy=read_document(reports / ENERGY, EnergyFile, EVALUATE),
        neighbours=read_document(reports / NEIGHBOURS, NeighboursFile, EVALUATE),
        similarity=read_document(reports / SIMILARITY, SimilarityFile, EVALUATE),
        ledger=read_document(frames / LEDGER, LedgerFile, INGEST),
        pr_curve=read_series(reports / PR_CURVE, ("radius", "recall", "precision"), EVALUATE),
        history=read_series(reports / HISTORY, ("epoch",), EVALUATE),
        bit_balance=read_series(reports / BIT_BALANCE, ("bit", "ones"), EVALUATE),
        firing_rates=read_series(reports / FIRING_RATES, ("layer", "rate"), EVALUATE),
        digests=digests | {store.path.name: store.digest},
    )
