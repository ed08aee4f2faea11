"""Codes of clips in memory, with the names that they go by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikinghash.codes.codeset import CodeSet
from spikinghash.codes.packing import unpack
from spikinghash.errors import ConfigError
from spikinghash.visible import visible

#: How many clips, and refused inputs, are shown to a person.
_SHOWN = 10


class RefusedInput(NamedTuple):
    """An input without codes: its name, and why, beginning with a code of `schema.REASONS`."""

    name: str
    reason: str


@dataclass(frozen=True, eq=False)
class Codes:
    """N clips hashed by one model; `len`, indexing (a number, a slice, a mask) and iteration are over clips.

    `packed` uint8 [N, K/8], bit 0 the most significant of byte 0; `ids` [N] are unique; `names` [N] say what each clip
    is of, for files their path; `labels` [N] hold None where nothing is known; `start_us` and `end_us` int64 [N] bound
    the clip in its recording, both inclusive, 0 where it has no times; `recording_keys` uint64 [N] are the first
    8 bytes of the recording's SHA-256, 0 where it is not known; `model` is the digest of the model. `refused` are the
    inputs that have no clip here.
    """

    packed: NDArray[np.uint8]
    ids: NDArray[np.object_]
    names: NDArray[np.object_]
    labels: NDArray[np.object_]
    start_us: NDArray[np.int64]
    end_us: NDArray[np.int64]
    recording_keys: NDArray[np.uint64]
    model: str
    refused: tuple[RefusedInput, ...] = ()

    def __len__(self) -> int:
        return len(self.packed)

    @property
    def bits(self) -> int:
        """Width K of the codes."""
        return self.packed.shape[1] * 8

    def unpacked(self) -> NDArray[np.uint8]:
        """The bits [N, K] as 0 and 1."""
        return unpack(self.packed)

    def with_labels(self, labels: Sequence[str | None]) -> Codes:
        """The same clips with labels [N]; `ConfigError` for another number of them."""
        if len(labels) != len(self):
            raise ConfigError(f"{len(labels)} labels for {len(self)} clips; give one label, or None, for each clip")
        return replace(self, labels=_objects(labels))

    def __getitem__(self, key: int | slice | NDArray[Any]) -> Codes:
        """Some of the clips, still as `Codes`; an index beyond the end raises `IndexError`."""
        rows: Any = np.arange(len(self))[key].reshape(-1)
        columns = {name: column[rows] for name, column in vars(self).items() if isinstance(column, np.ndarray)}
        return replace(self, refused=(), **columns)

    def __str__(self) -> str:
        refused = f", {len(self.refused)} inputs refused" if self.refused else ""
        lines = [f"{len(self)} codes of {self.bits} bits, model {self.model}{refused}"]
        for name, code in zip(self.names[:_SHOWN], self.packed, strict=False):
            lines.append(f"{code.tobytes().hex()}  {visible(str(name))}")
        lines += [f"refused  {visible(one.name)}: {visible(one.reason)}" for one in self.refused[:_SHOWN]]
        more = max(len(self) - _SHOWN, 0), max(len(self.refused) - _SHOWN, 0)
        return "\n".join(lines + ([f"... and {more[0]} more clips, {more[1]} more refused"] if any(more) else []))

    __repr__ = __str__


def codes_of(codes: CodeSet) -> Codes:
    """Codes as they lie in a database."""
    keys = codes.recording_keys
    return Codes(
        codes.codes, codes.clip_ids, codes.recordings, codes.labels, codes.start_us, codes.end_us,
        np.zeros(len(codes), np.uint64) if keys is None else keys, codes.model,
    )  # fmt: skip


def codeset_of(codes: Codes) -> CodeSet:
    """Codes as an index takes them, ordered by id."""
    order = np.argsort(codes.ids.astype(str), kind="stable")
    some = codes[order]
    return CodeSet(
        clip_ids=some.ids, codes=np.ascontiguousarray(some.packed), labels=some.labels, recordings=some.names,
        splits=_objects([None] * len(some)), start_us=some.start_us, end_us=some.end_us, model=some.model,
        bits=some.bits, version=0, recording_keys=some.recording_keys,
    )  # fmt: skip


def _objects(values: Sequence[Any]) -> NDArray[np.object_]:
    out = np.empty(len(values), dtype=object)
    out[:] = list(values)
    return out
