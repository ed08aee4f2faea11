"""What all stages share: parameters in, one clear line out."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from spikinghash.errors import ConfigError, SpikinghashError
from spikinghash.pair_params import PairParams
from spikinghash.params import Params, ProjectParams, load_params

RAW = Path("data/raw/digits")
FRAMES = Path("data/frames")
MODEL = Path("data/models/default")
CODES = Path("data/codes")
INDEX = Path("data/index")
PAIRS = Path("data/pairs")
FEATURES = Path("data/features")
REPORTS = Path("reports")
RUNS = Path(".runs")

P = TypeVar("P")


def samples_of(params: ProjectParams) -> Path:
    """Where a project's sample store is."""
    return FEATURES if isinstance(params, PairParams) else FRAMES


def call_verb(verbs: Mapping[str, Callable[..., None]]) -> None:
    """Call what the command line asks for, one of `verbs` by how it is used, as "study NAME"; else `ConfigError`."""
    asked = sys.argv[1:]
    for usage, function in verbs.items():
        verb, *arguments = usage.split()
        if asked[:1] == [verb] and len(asked) == 1 + len(arguments):
            return function(*asked[1:])
    raise ConfigError(f"say one of: {', '.join(verbs)}")


def run(stage: Callable[[Params], None], params: Path = Path("params.yaml")) -> None:
    """Run a stage with the parameters in a file; a user's error ends in one line and its exit code."""
    run_with(load_params, stage, params)


def run_with(load: Callable[[Path], P], stage: Callable[[P], None], params: Path = Path("params.yaml")) -> None:
    """As `run`, for a project whose parameters are read by `load`."""
    plainly(lambda: stage(load(params)), inspect.getfile(stage))


def plainly(what: Callable[[], None], file: str | None = None) -> None:
    """Run `what`, a stage in `file`; a user's error ends in one line and its exit code."""
    # fewer page faults: keep freed blocks instead of returning them to the system after every step
    os.environ.setdefault("OMP_NUM_THREADS", str(os.cpu_count() or 1))
    try:
        what()
    except SpikinghashError as error:
        # it runs as `__main__`; flows look for this line by the stage's own name
        print(f"stages.{Path(file or inspect.getfile(what)).stem}: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_code)
