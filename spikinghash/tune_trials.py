"""`tune` of `params.yaml` to trials: each is the file with one point of the space laid over it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from spikinghash.configs import cache_of, model_spec, recipe
from spikinghash.data.store import SampleStore
from spikinghash.errors import ConfigError
from spikinghash.params import Params
from spikinghash.study_params import changed
from spikinghash.tune.draw import Choice, Point, Range, changes, draw_points
from spikinghash.tune.trial import Trial
from spikinghash.tune_params import DomainParams


def trials_of(path: Path, params: Params, store: SampleStore) -> list[Trial]:
    """All trials; `ConfigError` for a space that `params.yaml` at `path` does not allow, before any of them starts."""
    space = {key: _domain(domain) for key, domain in params.tune.space.items()}
    if not space:
        raise ConfigError(f"{path}: tune.space is empty; name keys of model and train in it, each with low and high")
    for key, domain in space.items():
        for end in domain.ends:
            try:
                changed(path, changes({key: end}))
            except ConfigError as error:
                raise ConfigError(f"tune.space.{key}: with {end}, {error}") from None
    points = draw_points(space, params.tune.trials, params.tune.seed)
    return [_trial(changed(path, changes(point)), point, store) for point in points]


def _domain(p: DomainParams) -> Range | Choice:
    if p.low is not None and p.high is not None:
        return Range(p.low, p.high, p.log)
    return Choice(p.values or ())


def _trial(p: Params, point: Point, store: SampleStore) -> Trial:
    how = recipe(p)
    # what workers do side by side, one process does one after the other
    alone = replace(how, accumulate=how.accumulate * p.train.workers)
    place = str(store.path.resolve())
    return Trial(point, place, store.digest, model_spec(p, store), alone, cache_of(p))
