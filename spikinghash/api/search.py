"""Nearest clips to codes, in memory or in a database."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from spikinghash.api.codes import Codes, codeset_of
from spikinghash.api.hits import Hit, Hits
from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.encoder import Encoder
from spikinghash.errors import ConfigError, StaleModel
from spikinghash.index.flat import HammingIndex
from spikinghash.index.index_folder import index_folder
from spikinghash.index.nearest import other_recordings
from spikinghash.index.nearest_items import nearest_items
from spikinghash.index.searcher import Searcher, check_reach, open_searcher


def search_codes(query: Codes, among: Codes, k: int) -> Hits:
    """The k nearest of the clips `among` to each of Q queries, without clips of a query's own recording.

    Raises `StaleModel` for codes of two models, `ConfigError` for k < 1, no queries, or nothing to search.
    """
    if len(among) == 0:
        raise ConfigError("there are no codes to search; encode some recordings first")
    check_model(query, among.model)
    return search_in(query, Searcher([HammingIndex.over(codeset_of(among))]), k)


def check_model(query: Codes, model: str) -> None:
    """`StaleModel` unless the queries are codes of `model`."""
    if query.model != model:
        raise StaleModel(f"queries of model {query.model}, codes of model {model}; encode both with one model")


def search_in(query: Codes, among: Searcher, k: int) -> Hits:
    """As `search_codes`; the caller answers for the model of `among`."""
    if len(query) == 0:
        raise ConfigError("there is no query; give at least one clip")
    check_reach(k, None)
    keys = [int(key) or None for key in query.recording_keys]
    found = other_recordings(among, query.packed, keys, k, None, None)
    return Hits(tuple((str(n), tuple(_hits(t))) for n, t in zip(query.names, found, strict=True)), among.bits)


def search_items(
    among: CodeDatabase, encoder: Encoder, query: str | bytes | None, to: str | None, k: int, rescore: bool
) -> Hits:
    """The k items nearest to a text or to the bytes of a picture, in the modality `to`; as `nearest_items`."""
    digest = encoder.model.digest
    codes = open_searcher(among, digest, index_folder(among.uri, digest))
    modality = "text" if isinstance(query, str) else "image"
    (found,) = nearest_items([query or ""], modality, encoder, codes, k, to=to, rescore=rescore)
    name = query if isinstance(query, str) else "image"
    return Hits(((name, tuple(Hit(hit.item, hit.distance, hit.label, 0, 0) for hit in found)),), codes.bits)


def _hits(clips: pa.Table) -> Iterable[Hit]:
    for row in clips.select(["recording", "distance", "label", "start_us", "end_us"]).to_pylist():
        yield Hit(row["recording"], row["distance"], row["label"], row["start_us"], row["end_us"])
