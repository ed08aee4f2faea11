"""Parameters of the project in whose folder a command or stage runs, whatever its samples are."""

from __future__ import annotations

from pathlib import Path

from spikinghash.errors import ConfigError
from spikinghash.night_params import NightParams
from spikinghash.pair_params import PairParams
from spikinghash.param_section import check_as
from spikinghash.params import Params, ProjectParams, check_params, load_params
from spikinghash.strict_yaml import read_yaml


def load_project(path: Path) -> ProjectParams:
    """Of a project of recordings, or of one of pairs: whichever the file is of; errors as `load_params`."""
    if not path.is_file():
        return load_params(path)
    content = read_yaml(path)
    of_pairs = isinstance(content, dict) and "pairs" in content
    return check_as(PairParams, content, path) if of_pairs else check_params(content, path)


def load_night(path: Path) -> NightParams:
    """How a night is judged; the defaults where `path` is not there or is of a project of pairs, which does not say."""
    params = load_project(path) if path.is_file() else None
    return params.night if isinstance(params, Params) else NightParams()


def refuse_pairs(instead: str) -> None:
    """`ConfigError`, saying what to do `instead`, in the folder of a project of pairs."""
    path = Path("params.yaml")
    if path.is_file() and "pairs" in (read_yaml(path) or {}):
        raise ConfigError(f"this is a project of pairs: {instead}")
