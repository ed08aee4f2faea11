"""The model that commands take where none is named: the project's champion, before there is one the pipeline's.

Who the champion is stays in a small file, so that a command need not ask the registry. Promotions, rollbacks, nights
and `registry list` write it; one that MLflow's page made champion is known from the next of these on.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from spikinghash.errors import ConfigError, SpikinghashError
from spikinghash.files import write_json
from spikinghash.registry_place import registry_place

_CHAMPION = Path(".runs/champion.json")


def note_champion(place: tuple[str, str], version: int, digest: str | None) -> None:
    """Keep who is champion at a place, address and name, if that is the registry of this project."""
    with suppress(ConfigError):  # no project here
        if digest is None or place != registry_place():
            return
        _CHAMPION.parent.mkdir(exist_ok=True)
        write_json(_CHAMPION, {"name": place[1], "version": version, "digest": digest})


def model_in_use(pipelines: str) -> tuple[str, int | None]:
    """A reference to the model in use, and its version where that is the champion and another than that in the folder
    `pipelines`.
    """
    from spikinghash.training.checkpoint import load_model

    try:
        known = json.loads(_CHAMPION.read_bytes())
        name, version, digest = str(known["name"]), int(known["version"]), str(known["digest"])
    except (OSError, ValueError, KeyError, TypeError):  # none yet, or no file of ours
        return pipelines, None
    with suppress(SpikinghashError):  # it may be gone, or half made: the champion is neither
        if load_model(Path(pipelines)).digest == digest:
            return pipelines, None
    return f"models:/{name}@champion", version
