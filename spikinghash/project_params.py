"""Parameters of the project in whose folder a command or stage runs, whatever its samples are."""

from __future__ import annotations

from pathlib import Path

from spikinghash.pair_params import check_pair_params
from spikinghash.params import ProjectParams, load_params
from spikinghash.strict_yaml import read_yaml


def load_project(path: Path) -> ProjectParams:
    """Of a project of recordings, or of one of pairs: whichever the file is of; errors as `load_params`."""
    content = read_yaml(path) if path.is_file() else None
    if isinstance(content, dict) and "pairs" in content:
        return check_pair_params(content, path)
    return load_params(path)
