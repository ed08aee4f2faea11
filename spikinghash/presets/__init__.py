"""Recipes by name: what a YAML file here says is laid over `params.yaml` by `spikinghash preset apply NAME`."""

from __future__ import annotations

import difflib
from importlib.resources import files

from spikinghash.errors import ConfigError


def preset_names() -> list[str]:
    """Names of all presets, sorted."""
    return sorted(f.name.removesuffix(".yaml") for f in files(__package__).iterdir() if f.name.endswith(".yaml"))


def preset_text(name: str) -> str:
    """The YAML of a preset, with its comments; `ConfigError`, with the nearest name, for an unknown one."""
    if name not in preset_names():
        near = difflib.get_close_matches(name, preset_names(), n=1, cutoff=0.0)[0]
        raise ConfigError(f"unknown preset {name!r}; did you mean {near}? `spikinghash preset list` shows all")
    return (files(__package__) / f"{name}.yaml").read_text(encoding="utf-8")
