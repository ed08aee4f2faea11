"""Changes laid over a nested mapping: how a preset or a study alters parameters."""

from __future__ import annotations

from typing import Any


def lay_over(section: dict[str, Any], changes: dict[str, Any], place: str = "") -> list[str]:
    """Set the values of `changes` in `section`, in place, section by section; returns changed keys, as `train.lr`."""
    keys = []
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(section.get(key), dict):
            keys += lay_over(section[key], value, f"{place}{key}.")
        elif key not in section or section[key] != value:
            section[key] = value
            keys.append(f"{place}{key}")
    return keys
