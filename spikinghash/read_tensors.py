"""Tensors of a file of safetensors that somebody gave."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from spikinghash.errors import ConfigError


def read_tensors(path: Path) -> dict[str, Any]:
    """All tensors by name; `ConfigError` for a file that is missing or damaged."""
    # who only names a front end needs no torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise ConfigError(f"cannot read {path}: {' '.join(str(error).split())}") from None
