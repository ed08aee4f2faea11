"""A preset laid over `params.yaml`, whose comments stay."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import yaml
from ruamel.yaml import YAML

from spikinghash.errors import ConfigError
from spikinghash.files import write_atomically
from spikinghash.overlay import lay_over
from spikinghash.params import check_params
from spikinghash.presets import preset_text
from spikinghash.strict_yaml import parse_yaml, read_yaml


def apply_preset(name: str, path: Path) -> list[str]:
    """Change the file `path` to the values of a preset, or of a file that ends in .yaml; returns the keys that changed.

    `ConfigError` for an unknown preset, a missing file, or a result that is not valid; the file is then left alone.
    """
    change = _changes(name)
    keeper = YAML()
    keeper.preserve_quotes = True
    keeper.width = 120
    try:
        content = keeper.load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; run inside the project, or copy its params.yaml") from None
    keys = lay_over(content, change)
    out = io.StringIO()
    keeper.dump(content, out)
    check_params(parse_yaml(out.getvalue(), path), path)
    write_atomically(path, out.getvalue().encode())
    return keys


def _changes(name: str) -> dict[str, Any]:
    if not name.endswith(".yaml"):
        content: dict[str, Any] = yaml.safe_load(preset_text(name))
        return content
    try:
        return read_yaml(Path(name))
    except FileNotFoundError:
        raise ConfigError(f"{name}: not found; for a preset leave .yaml out") from None
