"""What two models were made of differently, by their descriptions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from spikinghash.visible import visible

_ABSENT = "not said"
_LONGEST = 120


@dataclass(frozen=True)
class Difference:
    """One setting, as each of two models has it."""

    key: str
    first: str
    second: str


def differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[Difference]:
    """Settings of network and training in which two `model.json` differ, by name.

    They are what took effect, with all defaults, and not what somebody wrote into a file.
    """
    a, b = dict(_settings(first)), dict(_settings(second))
    return [
        Difference(key, _text(a.get(key, _ABSENT)), _text(b.get(key, _ABSENT)))
        for key in sorted(set(a) | set(b))
        if a.get(key, _ABSENT) != b.get(key, _ABSENT)
    ]


def _settings(card: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from _flat(card.get("spec"), "model")
    training = card.get("training")
    yield from _flat(training.get("recipe") if isinstance(training, Mapping) else None, "train")


def _flat(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}")
    elif value is not None or "." in name:
        yield name, value


def _text(value: Any) -> str:
    text = visible(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
