"""A page of test texts with the pictures that they find, and of test pictures with the texts that they find."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from spikinghash.codes.codeset import CodeSet
from spikinghash.files import write_atomically
from spikinghash.index.flat import HammingIndex
from spikinghash.pairs.pair import Pair
from spikinghash.pairs.pair_file import PairFile

TEMPLATE = "pair_gallery.html.j2"
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


def pair_gallery(
    pairs: PairFile, queries: CodeSet, database: CodeSet, out: Path, *, count: int = 20, shown: int = 10
) -> Path:
    """Write the page `out`: `count` queries at equal distances in each direction, the `shown` nearest items of each.

    `queries` and `database` are codes made of one modality each. Raises `ConfigError` where they have no such codes,
    `BadStore` for damaged pairs.
    """
    found = {
        direction: _found(
            queries.where(direction[0], direction[0]), database.where(direction[1], direction[1]), count, shown
        )
        for direction in (("text", "image"), ("image", "text"))
    }
    wanted = {item for rows in found.values() for query, hits in rows for item in (query, *(hit for hit, _ in hits))}
    known = {pair.pair_id: pair for pair in pairs.pairs(None, ["labels", "image", "text"]) if pair.group in wanted}
    by_item = {pair.group: pair for pair in known.values()}
    texts, pictures = ([_shown(by_item, *row) for row in rows] for rows in found.values())
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    page = environment.get_template(TEMPLATE).render(
        model=queries.model, bits=queries.bits, texts=texts, pictures=pictures, searched=len(set(_items(database))),
    )  # fmt: skip
    write_atomically(out, page.encode("utf-8", "replace"))
    return out


def _found(queries: CodeSet, database: CodeSet, count: int, shown: int) -> list[tuple[str, list[tuple[str, int]]]]:
    """Items of queries, each with items and distances of what they found."""
    chosen = np.unique(np.arange(count) * len(queries) // count)
    near = HammingIndex.over(database).search(np.ascontiguousarray(queries.codes[chosen]), shown)
    asked, there = _items(queries), _items(database)
    return [
        (asked[query], [(there[row], int(d)) for row, d in zip(rows, distances, strict=True)])
        for query, rows, distances in zip(chosen, near.rows, near.distances, strict=True)
    ]


def _items(codes: CodeSet) -> list[str]:
    return list(codes.clip_ids if codes.items is None else codes.items)


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
