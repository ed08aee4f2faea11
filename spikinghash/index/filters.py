"""Which clips a search may find."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from spikinghash.errors import ConfigError
from spikinghash.index.clips import Clips


@dataclass(frozen=True)
class Filters:
    """Clips that have one of the labels among theirs, come from one of the archives, overlap [from_us, to_us), are of
    one of the modalities and made of one of the sets of modalities `seen`; None allows all.

    Times are microseconds of the recording, as `start_us` and `end_us` of a clip. `ConfigError` for an empty interval.
    """

    labels: tuple[str, ...] | None = None
    archives: tuple[str, ...] | None = None
    from_us: int | None = None
    to_us: int | None = None
    modalities: tuple[str, ...] | None = None
    seen: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        for name, wanted in {"label": self.labels, **self._wanted()}.items():
            for text in wanted or ():
                if any("\ud800" <= character <= "\udfff" for character in text):
                    raise ConfigError(f"the {name} {text!r} is not UTF-8; no clip can have it")
        for time_us in (self.from_us, self.to_us):
            if time_us is not None and not -(2**63) <= time_us < 2**63:
                raise ConfigError(f"{time_us} us is no time that a recording can have")
        if self.from_us is not None and self.to_us is not None and self.from_us >= self.to_us:
            raise ConfigError(f"no clip lies between {self.from_us} and {self.to_us} us; the interval is empty")

    def _wanted(self) -> dict[str, tuple[str, ...] | None]:
        """Values that are allowed, by column."""
        return {"archive": self.archives, "modality": self.modalities, "seen": self.seen}

    def rows(self, clips: Clips) -> NDArray[np.bool_] | None:
        """bool [N], which of the clips may be found; None for all of them."""
        masks = []
        for name, wanted in self._wanted().items():
            if wanted is not None:
                masks.append(pc.is_in(clips.column(name), pa.array(wanted, pa.string())))
        if self.labels is not None:
            masks.append(_labelled(clips, self.labels))
        if self.from_us is not None:
            masks.append(pc.greater(clips.column("end_us"), self.from_us))
        if self.to_us is not None:
            masks.append(pc.less(clips.column("start_us"), self.to_us))
        if not masks:
            return None
        allowed = np.ones(len(clips), np.bool_)
        for mask in masks:
            allowed &= mask.combine_chunks().to_numpy(zero_copy_only=False)
        return allowed


def _labelled(clips: Clips, wanted: tuple[str, ...]) -> pa.ChunkedArray:
    """Which clips have one of the labels `wanted`, be it their first or another one."""
    values = pa.array(wanted, pa.string())
    mask = pc.is_in(clips.column("label"), values).combine_chunks().to_numpy(zero_copy_only=False).copy()
    several = clips.column("labels").combine_chunks()
    if several.null_count < len(several):
        hit = pc.is_in(pc.list_flatten(several), values).to_numpy(zero_copy_only=False)
        mask[pc.list_parent_indices(several).to_numpy()[hit]] = True
    return pa.chunked_array([pa.array(mask)])
