"""`experiments/studies.yaml` to checked parameters: each arm is `params.yaml` with a few changes."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from spikinghash.errors import ConfigError
from spikinghash.overlay import lay_over
from spikinghash.param_section import Checked, Section
from spikinghash.params import Params, check_params
from spikinghash.strict_yaml import read_yaml

Changes = dict[str, dict[str, Any]]


class Study(Section):
    """One comparison: `arms` by name on the data set `set`, each with every seed; `change` applies to all arms.

    Two protocols show what codes are worth beyond what was trained on: `leave_out` names classes that are searched on
    their own and neither trained nor validated on, `search` names other sets.
    """

    set: str
    task: Literal["labels", "time-order"]
    arms: tuple[str, ...] = Field(strict=False, min_length=1)
    seeds: tuple[int, ...] = Field(strict=False, min_length=1)
    change: Changes = Field(default_factory=dict)
    leave_out: tuple[str, ...] = Field(default=(), strict=False)
    search: tuple[str, ...] = Field(default=(), strict=False)


class Studies(Section):
    """The whole file. `sets` and `arms` hold changes to `params.yaml`, by section."""

    sets: dict[str, Changes]
    arms: dict[str, Changes]
    studies: dict[str, Study]


def load_studies(path: Path) -> Studies:
    """Read and check; `ConfigError` with one line for a bad key, or a study that names what is not there."""
    studies = read_as(Studies, path)
    for name, study in studies.studies.items():
        known(path, f"studies.{name}.set", study.set, studies.sets)
        for arm in study.arms:
            known(path, f"studies.{name}.arms", arm, studies.arms)
        for other in study.search:
            known(path, f"studies.{name}.search", other, studies.sets)
        if study.set in study.search:
            raise ConfigError(f"{path}: studies.{name}: search names {study.set}, which it is trained on")
        if study.task != "labels" and (study.leave_out or study.search):
            raise ConfigError(f"{path}: studies.{name}: leave_out and search are for the task labels")
    return studies


def read_as(kind: type[Checked], path: Path) -> Checked:
    """The file as a `kind`; `ConfigError` with one line."""
    try:
        return kind.model_validate(read_yaml(path))
    except FileNotFoundError:
        raise ConfigError(f"{path}: not found") from None
    except ValidationError as error:
        raise ConfigError(f"{path}: {' '.join(str(error).split())[:300]}") from None


def known(path: Path, place: str, name: str, names: dict[str, Any]) -> None:
    """`ConfigError`, with the nearest name, unless `name` is one of `names`."""
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.0)
        raise ConfigError(f"{path}: {place}: unknown name {name!r}; did you mean {near[0] if near else 'none there'}?")


def changed(base: Path, *changes: Changes) -> Params:
    """`params.yaml` at `base` with `changes` laid over it, the last one winning, and checked as it would be itself."""
    content = read_yaml(base)
    for change in changes:
        lay_over(content, change)
    return check_params(content, base)
