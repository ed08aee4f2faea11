"""`crossmodal/compare/compare.yaml` to checked parameters: sets, and arms that are changes to `params.yaml`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field

from spikinghash.overlay import lay_over
from spikinghash.pair_params import PairParams
from spikinghash.param_section import Section, check_as
from spikinghash.strict_yaml import read_yaml
from spikinghash.study_params import Changes, known, read_as


class Arm(Section):
    """Changes to `params.yaml` by section, and more of them for a set by its name."""

    change: Changes
    per_set: dict[str, Changes] = Field(default_factory=dict)


class Comparison(Section):
    """The whole file: where the sections of each set are, and arms by name."""

    sets: dict[str, str] = Field(min_length=1)
    arms: dict[str, Arm] = Field(min_length=1)


def set_params(path: Path, base: Path, set_name: str) -> PairParams:
    """The parameters at `base` with the sections of a set in the place of theirs."""
    return check_as(PairParams, _content(path, read_as(Comparison, path), base, set_name), base)


def arm_params(path: Path, base: Path, set_name: str, arm: str, bits: int, seed: int) -> PairParams:
    """As `set_params` with the changes of an arm; `ConfigError` for a set or an arm that the file at `path` lacks."""
    comparison = read_as(Comparison, path)
    content = _content(path, comparison, base, set_name)
    known(path, "arms", arm, comparison.arms)
    chosen = comparison.arms[arm]
    for change in (chosen.change, chosen.per_set.get(set_name, {}), {"model": {"bits": bits}, "train": {"seed": seed}}):
        lay_over(content, change)
    return check_as(PairParams, content, base)


def _content(path: Path, comparison: Comparison, base: Path, set_name: str) -> dict[str, Any]:
    known(path, "sets", set_name, comparison.sets)
    content: dict[str, Any] = read_yaml(base)
    # whole sections: options of one front end or importer are none of another's
    return content | read_yaml(path.parent / comparison.sets[set_name])
