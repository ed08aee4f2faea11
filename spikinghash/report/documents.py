"""The JSON files a report is made from: their shapes, checked once when they are read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from spikinghash.errors import BadStore


class Document(BaseModel):
    """Base: keys this version does not know are kept, so that files of a newer one still make a page."""

    model_config = ConfigDict(extra="allow", frozen=True)

    @property
    def further(self) -> dict[str, Any]:
        """Plain values under keys that are not in the class."""
        return {key: value for key, value in (self.model_extra or {}).items() if not isinstance(value, dict | list)}


class Task(Document):
    """What was asked: numbers of clips and bits, splits, seed, digests."""

    queries: int
    database: int
    bits: int
    classes: list[str] = []
    query_split: str | None = None
    database_splits: list[str] = []
    seed: int | None = None
    data_digest: str | None = None
    model_digest: str | None = None
    frames_digest: str | None = None


class MetricEntry(Document):
    """`Metric.to_dict()`."""

    value: float
    name: str = ""
    worst: float | None = None
    best: float | None = None
    protocol: dict[str, Any] = {}


class Bits(Document):
    """`BitHealth.to_dict()`, as far as the page shows it."""

    clips: int
    bits: int
    mean_entropy: float
    dead: list[int]
    correlation: float | None
    distinct: float


class MetricsFile(Document):
    """`evaluation.json`. `baseline` may hold `name` and `map`, a number or a metric, and further plain values."""

    task: Task
    metrics: dict[str, MetricEntry]
    bits: Bits | None = None
    baseline: dict[str, Any] | None = None
    training: dict[str, Any] | None = None


class LayerEnergy(Document):
    """One layer: operations and picojoules per clip; `rate` is the mean firing rate of its input, if it spikes."""

    name: str
    kind: str = ""
    macs: float = 0
    acs: float = 0
    rate: float | None = None
    energy_pj: float
    spiking: bool | None = None


class EnergyFile(Document):
    """`energy.json`."""

    layers: list[LayerEnergy]
    total_mj: float
    mac_mj: float | None = None
    ac_mj: float | None = None
    constants: dict[str, Any] = {}
    notes: list[str] = []


class ConfusionTable(Document):
    """`Confusion.to_dict()`: counts [C, C], row = class of the query, column = class of the neighbour."""

    labels: list[str]
    counts: list[list[int]]
    protocol: dict[str, Any] = {}


class SimilarityFile(Document):
    """`similarity.json`: S_hash and, after training with the soft loss, S_soft, [C, C] in the order of `labels`."""

    labels: list[str]
    hash: list[list[float]]
    soft: list[list[float]] | None = None


class Neighbour(Document):
    """A clip that was found."""

    clip_id: str
    label: str | None = None
    distance: int


class QueryResult(Document):
    """A query and what was found for it, nearest first."""

    clip_id: str
    label: str | None = None
    results: list[Neighbour]


class NeighboursFile(Document):
    """`neighbours.json`."""

    confusion: ConfusionTable | None = None
    queries: list[QueryResult] = []


class RefusedFile(Document):
    """A file that was not framed, and why."""

    path: str
    reason: str
    message: str = ""
    offset: int | None = None
    recordings: int = 1


class LedgerFile(Document):
    """`ledger.json` of the frames folder."""

    found: int
    accepted: int
    clips: int
    events_in: int
    framed: int
    repeated: int = 0
    dropped: Mapping[str, int]
    splits: Mapping[str, int] = Field(default_factory=dict)
    reasons: Mapping[str, int] = Field(default_factory=dict)
    left_out: Mapping[str, int] = Field(default_factory=dict)
    refused: list[RefusedFile] = []

    @property
    def balances(self) -> bool:
        """Whether every event is framed or dropped and every recording accepted or refused (`frames.ledger.Ledger`)."""
        recordings = self.accepted + sum(file.recordings for file in self.refused)
        return self.events_in == self.framed + sum(self.dropped.values()) and self.found == recordings


class FoundEntry(Document):
    """`Found.to_dict()`: one direction of retrieval between modalities, and the same metrics of random codes."""

    direction: str
    seen: str
    metrics: dict[str, MetricEntry]
    chance: dict[str, float]


class PairMetricsFile(Document):
    """`evaluation.json` of a project of pairs."""

    method: str
    variant: str
    searched: dict[str, list[FoundEntry]]


Kind = TypeVar("Kind", bound=Document)


def read_document(path: Path, kind: type[Kind], stage: str) -> Kind | None:
    """Read a file of one kind, None if it is not there. Raises `BadStore`, naming `stage`, if it is damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return kind.model_validate(content)
    except FileNotFoundError:
        return None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadStore(f"{path}: {where}: {first['msg']}; run the stage {stage} again") from None
    except (OSError, ValueError, RecursionError) as error:
        raise BadStore(f"cannot read {path}: {error}; run the stage {stage} again") from error
