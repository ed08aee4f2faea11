"""The importers by name, and calling one with options that are checked against its own parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, ValidationError, validate_call

from spikinghash.errors import ConfigError
from spikinghash.pairs.import_pairs import Found
from spikinghash.pairs.importers.caption_lines import caption_pairs
from spikinghash.pairs.importers.clip_mat import clip_pairs
from spikinghash.pairs.importers.coco_json import coco_pairs
from spikinghash.pairs.importers.dcmh_mat import dcmh_pairs
from spikinghash.pairs.importers.feature_arrays import feature_pairs
from spikinghash.pairs.importers.hashnet_lists import hashnet_pairs
from spikinghash.pairs.importers.nus_wide import nus_wide_pairs
from spikinghash.pairs.importers.parquet_table import parquet_pairs

#: Each goes from a path and options to what it finds there.
IMPORTERS: dict[str, Callable[..., Iterator[Found]]] = {
    "parquet": parquet_pairs,
    "caption_lines": caption_pairs,
    "coco_json": coco_pairs,
    "dcmh_mat": dcmh_pairs,
    "clip_mat": clip_pairs,
    "nus_wide": nus_wide_pairs,
    "hashnet_lists": hashnet_pairs,
    "feature_arrays": feature_pairs,
}
_STRICT = ConfigDict(strict=True, arbitrary_types_allowed=True)


def find_pairs(importer: str, path: Path, options: Mapping[str, Any] | None = None) -> Iterator[Found]:
    """What an importer finds at `path`. Raises `ConfigError` for unknown names and options, and what it raises."""
    if importer not in IMPORTERS:
        raise ConfigError(f"no importer is called {importer!r}; there are {', '.join(IMPORTERS)}")
    try:
        return validate_call(config=_STRICT)(IMPORTERS[importer])(path, **(options or {}))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ConfigError(
            f"the importer {importer}: option {place}: {first['msg']} (given: {first['input']})"
        ) from None
