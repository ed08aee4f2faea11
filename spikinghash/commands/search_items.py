"""`spikinghash search --text` and `--image`: pictures for sentences, and sentences for pictures."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer

from spikinghash.commands.output import emit
from spikinghash.redact import redact
from spikinghash.visible import visible


def search_items(
    text: str | None, image: Path | None, to: str | None, db: str, model: str, k: int | None, radius: int | None,
    label: list[str] | None, index: Path | None, as_json: bool,
) -> int:  # fmt: skip
    """Print the nearest items; errors of `nearest_items`."""
    from spikinghash.codes.database import CodeDatabase
    from spikinghash.codes.open_named import open_named
    from spikinghash.errors import ConfigError
    from spikinghash.index.index_folder import index_folder
    from spikinghash.index.nearest_items import nearest_items
    from spikinghash.index.searcher import open_searcher
    from spikinghash.model_ref import open_encoder

    if text is not None and image is not None:
        raise ConfigError("a query is --text or --image, not both")
    encoder = open_encoder(model)
    digest = encoder.model.digest
    codes = open_searcher(CodeDatabase.open(db), digest, index or index_folder(db, digest))
    query, modality = (text, "text") if image is None else (open_named(image).data, "image")
    k = 10 if k is None and radius is None else k
    (found,) = nearest_items(
        [query or ""], modality, encoder, codes, k, to=to, radius=radius, labels=tuple(label) if label else None,
    )  # fmt: skip
    content: dict[str, Any] = {
        "query": text if image is None else str(image), "bits": codes.bits, "db": redact(db),
        "results": [asdict(hit) for hit in found],
    }  # fmt: skip

    def lines() -> None:
        for hit in found:
            typer.echo(f"{hit.distance:4}  {visible(hit.label or '-'):12}  {hit.modality:6}  {visible(hit.item)}")

    emit(content, as_json, lines)
    return 0
