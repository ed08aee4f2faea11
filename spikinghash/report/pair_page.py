"""A page of test texts with the pictures that they find, and of test pictures with the texts that they find."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from spikinghash.codes.codeset import CodeSet
from spikinghash.errors import BadStore
from spikinghash.files import write_atomically
from spikinghash.index.flat import HammingIndex
from spikinghash.pairs.pair import Pair
from spikinghash.pairs.pair_file import PairFile
from spikinghash.report.documents import PairMetricsFile, read_document

TEMPLATE, PAGE = "pair_page.html.j2", "report.html"
METRICS, EVALUATE = "evaluation.json", "evaluate"
#: First bytes of the files that a picture can be.
_TYPES = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg"}


@dataclass(frozen=True)
class Shown:
    """An item as the page shows it, `right` if it shares a label with its query; what it found, if it is one."""

    text: str
    picture: str | None
    labels: tuple[str, ...]
    distance: int = 0
    right: bool = False
    hits: tuple[Shown, ...] = ()


def pair_page(
    pairs: PairFile, queries: CodeSet, database: CodeSet, reports: Path, *, count: int = 20, shown: int = 10
) -> Path:
    """Write `report.html` into `reports`: the metrics of `evaluation.json` there, and where codes are made of one
    modality each, `count` queries at equal distances in each direction with the `shown` nearest items of each.

    Raises `BadStore` for damaged pairs or metrics.
    """
    evaluation = read_document(reports / METRICS, PairMetricsFile, EVALUATE)
    if evaluation is None:
        raise BadStore(f"there is no {reports / METRICS}; run the stage {EVALUATE} first")
    single = queries.seen is not None and "text" in set(queries.seen)
    found = {
        (a, b): _found(queries.where(a, a), database.where(b, b), count, shown) if single else []
        for a, b in (("text", "image"), ("image", "text"))
    }
    wanted = {item for rows in found.values() for query, hits in rows for item in (query, *(hit for hit, _ in hits))}
    by_item = {pair.group: pair for pair in pairs.pairs(None, ["labels", "image", "text"]) if pair.group in wanted}
    texts, pictures = ([_shown(by_item, *row) for row in rows] for rows in found.values())
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    page = environment.get_template(TEMPLATE).render(
        evaluation=evaluation, model=queries.model, bits=queries.bits, texts=texts, pictures=pictures,
        searched=len(set(database.item_ids)),
    )  # fmt: skip
    write_atomically(reports / PAGE, page.encode("utf-8", "replace"))
    return reports / PAGE


def _found(queries: CodeSet, database: CodeSet, count: int, shown: int) -> list[tuple[str, list[tuple[str, int]]]]:
    """Items of queries, each with items and distances of what they found."""
    chosen = np.unique(np.arange(count) * len(queries) // count)
    near = HammingIndex.over(database).search(np.ascontiguousarray(queries.codes[chosen]), shown)
    asked, there = queries.item_ids, database.item_ids
    return [
        (asked[query], [(there[row], int(d)) for row, d in zip(rows, distances, strict=True)])
        for query, rows, distances in zip(chosen, near.rows, near.distances, strict=True)
    ]


def _are_single(codes: CodeSet) -> bool:
    """Whether there are codes made of one modality, as methods that need both do not give."""
    return codes.seen is not None and "text" in set(codes.seen)


def _shown(pairs: dict[str, Pair], query: str, hits: list[tuple[str, int]]) -> Shown:
    asked = pairs[query]
    answers = [(pairs[item], distance) for item, distance in hits]
    own = set(asked.labels)
    found = (Shown(_said(one), _uri(one.image), one.labels, d, bool(own & set(one.labels))) for one, d in answers)
    return Shown(_said(asked), _uri(asked.image), asked.labels, hits=tuple(found))


def _said(pair: Pair) -> str:
    return " ".join(pair.text[:2])


def _uri(picture: bytes | None) -> str | None:
    if picture is None:
        return None
    kind = next((kind for start, kind in _TYPES.items() if picture.startswith(start)), None)
    return None if kind is None else f"data:{kind};base64,{base64.b64encode(picture).decode('ascii')}"
