"""`spikinghash search --text` and `--image`: pictures for sentences, and sentences for pictures."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from spikinghash.commands.output import emit
from spikinghash.commands.searched_codes import SearchedCodes, tell_how
from spikinghash.redact import redact
from spikinghash.visible import visible

if TYPE_CHECKING:
    from spikinghash.index.filters import Filters
    from spikinghash.index.nearest_items import ItemHit


def search_items(
    text: str | None, image: Path | None, to: str | None, codes: SearchedCodes, model: str, k: int | None,
    radius: int | None, filters: Filters, rescore: bool, as_json: bool,
) -> int:  # fmt: skip
    """Print the nearest items; errors of `nearest_items`."""
    from spikinghash.codes.open_named import open_named
    from spikinghash.errors import ConfigError
    from spikinghash.index.nearest_items import nearest_items
    from spikinghash.model_ref import open_encoder

    if text is not None and image is not None:
        raise ConfigError("a query is --text or --image, not both")
    encoder = open_encoder(model)
    among = codes.of(encoder.model.digest)
    query, modality = (text, "text") if image is None else (open_named(image).data, "image")
    (found,) = nearest_items(
        [query or ""], modality, encoder, among, k, to=to, radius=radius, filters=filters, rescore=rescore,
    )  # fmt: skip
    tell_how(among)
    content: dict[str, Any] = {
        "query": text if image is None else str(image), "bits": among.bits, "db": redact(codes.db),
        "results": [_told(hit) for hit in found],
    }  # fmt: skip

    def lines() -> None:
        if not found:
            typer.echo("spikinghash: nothing was found", err=True)
        for hit in found:
            typer.echo(f"{hit.distance:4}  {visible(hit.label or '-'):12}  {hit.modality:6}  {visible(hit.item)}")

    emit(content, as_json, lines)
    return 0


def _told(hit: ItemHit) -> dict[str, Any]:
    told = asdict(hit)
    return told if hit.score is not None else {key: value for key, value in told.items() if key != "score"}
