"""What can be wrong with a protocol once the samples are there, said before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence

from spikinghash.data.described import framing_of
from spikinghash.data.sample_spec import FieldSpec
from spikinghash.data.store import SampleStore
from spikinghash.errors import ConfigError
from spikinghash.frames.framing import Framing
from spikinghash.methods.spec import ModelSpec

#: With one class alone everything is relevant, whatever the codes.
_LEAST = 2


def check_left_out(study: str, left_out: Sequence[str], classes: Sequence[str]) -> None:
    """`ConfigError` for a class that the set lacks, and where fewer than two are left out or kept."""
    strange = [name for name in left_out if name not in classes]
    if strange:
        there = ", ".join(classes)
        raise ConfigError(f"study {study} leaves out the class {strange[0]!r}, which its set lacks; there are {there}")
    if left_out and min(len(set(left_out)), len(set(classes) - set(left_out))) < _LEAST:
        raise ConfigError(
            f"study {study} leaves out {len(set(left_out))} of {len(classes)} classes; {_LEAST} are searched at least, "
            f"and {_LEAST} trained on"
        )


def check_framing(store: SampleStore, spec: ModelSpec) -> None:
    """`ConfigError` unless clips of `store` have the time bins, representation and type that the model's have.

    Sensor, windows and `downsample` may differ: the model crops or pads frames of any size.
    """
    name = spec.modality
    if name not in store.spec.fields:
        raise ConfigError(f"{store.path} has no {name}, which {spec.method} takes")
    here, wanted = (_frames(one) for one in (store.spec.fields[name], spec.input.field))
    for key, value in wanted.items():
        if here[key] != value:
            raise ConfigError(
                f"{store.path} has {key} {here[key]}, the model takes {value}; frame a set of its own for that"
            )


def _frames(field: FieldSpec) -> dict[str, object]:
    framing = Framing.of(framing_of(field))
    return {"steps": framing.steps, "representation": framing.representation, "dtype": framing.dtype}
