"""Folders that belong to DVC: what somebody else writes there, the next `dvc repro` throws away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import yaml

from spikinghash.errors import ConfigError


def refuse_dvc_output(place: str | Path) -> None:
    """`ConfigError` where a local path is, or lies in, an output of a DVC stage or a file that `dvc add` tracks."""
    path = _local(str(place))
    if path is None:
        return
    for output, owner in _outputs(path):
        if path.is_relative_to(output):
            raise ConfigError(
                f"{place} belongs to {owner}, whose next run would throw away what is written there; "
                "name another place, for example data/archive"
            )


def _local(place: str) -> Path | None:
    """The path of a place, None for one that is not on this machine."""
    scheme, mark, rest = place.partition("://")
    if not mark:
        return Path(place).resolve()
    return Path(unquote(urlparse(place).path)).resolve() if scheme.lower() == "file" and rest else None


def _outputs(path: Path) -> Iterator[tuple[Path, str]]:
    """(output, whose it is) of every DVC file in the folders above `path`."""
    for folder in path.parents:
        stages = _read(folder / "dvc.yaml").get("stages")
        for name, stage in stages.items() if isinstance(stages, dict) else ():
            base = folder / str(stage.get("wdir", ".")) if isinstance(stage, dict) else folder
            for output in _listed(stage):
                yield (base / output).resolve(), f"the DVC stage {name} of {folder / 'dvc.yaml'}"
        for tracked in (folder / f"{path.name}.dvc",) if folder == path.parent else ():
            if tracked.is_file():
                yield path, f"{tracked}, which DVC tracks"


def _listed(stage: Any) -> Iterator[str]:
    for key in ("outs", "metrics", "plots") if isinstance(stage, dict) else ():
        for entry in stage.get(key) or ():
            yield next(iter(entry)) if isinstance(entry, dict) else str(entry)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return {}  # DVC itself tells what is wrong with it
    return content if isinstance(content, dict) else {}
