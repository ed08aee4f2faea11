"""Which of the modalities of a store a method takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from spikinghash.data.sample_spec import FieldSpec, Kind
from spikinghash.errors import ConfigError

#: Names of the modalities of a store, by their descriptions; `ConfigError` where it has not what is needed.
Takes = Callable[[Mapping[str, FieldSpec]], tuple[str, ...]]


def one_of(*kinds: Kind) -> Takes:
    """The first modality that is called as its kind and is one of `kinds`."""

    def choose(fields: Mapping[str, FieldSpec]) -> tuple[str, ...]:
        known = [name for name in kinds if name in fields and fields[name].kind == name]
        if not known:
            raise ConfigError(f"takes {' or '.join(kinds)}; the samples have {_told(fields)}")
        return (known[0],)

    return choose


def pairs_of(kind: Kind, *names: str) -> Takes:
    """The modalities of these names, each of that kind."""

    def choose(fields: Mapping[str, FieldSpec]) -> tuple[str, ...]:
        if any(name not in fields or fields[name].kind != kind for name in names):
            raise ConfigError(f"takes {' and '.join(names)} as {kind}; the samples have {_told(fields)}")
        return names

    return choose


def _told(fields: Mapping[str, FieldSpec]) -> str:
    return ", ".join(name if name == one.kind else f"{name} ({one.kind})" for name, one in fields.items())
