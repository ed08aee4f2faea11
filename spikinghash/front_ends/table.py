"""The front ends by name: built from options, and rebuilt from a description."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spikinghash.errors import ConfigError
from spikinghash.front_ends.bag_of_words import BagOfWords
from spikinghash.front_ends.clip import ClipPicture, ClipText
from spikinghash.front_ends.efficientnet_lite0 import EfficientNetLite0
from spikinghash.front_ends.front_end import FrontEnd
from spikinghash.front_ends.given import Given
from spikinghash.front_ends.minilm import MiniLM
from spikinghash.front_ends.picture import Picture
from spikinghash.front_ends.pixels import Pixels

_ALL = (Given, BagOfWords, MiniLM, Picture, Pixels, EfficientNetLite0, ClipPicture, ClipText)
FRONT_ENDS: dict[str, type[Any]] = {one.name: one for one in _ALL}


def build(name: str, options: Mapping[str, Any] | None = None) -> FrontEnd:
    """One that was not fitted yet; raises `ConfigError` for an unknown name or option."""
    if name not in FRONT_ENDS:
        raise ConfigError(f"no front end is called {name!r}; there are {', '.join(FRONT_ENDS)}")
    try:
        made: FrontEnd = FRONT_ENDS[name](**(options or {}))
    except TypeError as error:
        known = inspect.signature(FRONT_ENDS[name]).parameters
        strange = next((option for option in options or {} if option not in known), None)
        if strange is not None:
            there = ", ".join(known) or "none"
            raise ConfigError(f"the front end {name} has no option {strange}; there are: {there}") from None
        raise ConfigError(f"the front end {name}: {' '.join(str(error).split())}") from None
    return made


def rebuild(description: Mapping[str, Any], folder: Path) -> FrontEnd:
    """The front end of a description; `folder` is where files lie that a description does not hold, such as weights.

    What is described beside it, such as which captions were joined, is not looked at. Raises `ConfigError` for damage,
    an unknown name, and files that are not the ones described.
    """
    name = description.get("name")
    if name not in FRONT_ENDS:
        raise ConfigError(f"features of {name!r} are of no front end here; there are {', '.join(FRONT_ENDS)}")
    try:
        made: FrontEnd = FRONT_ENDS[name].rebuild(dict(description), folder)
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"the description of the front end {name} is damaged: {error}") from None
    # its version, too: another one makes other features
    if any(description.get(key) != value for key, value in made.describe().items()):
        raise ConfigError(f"the front end {name} is not what its description says; make the features anew")
    return made
