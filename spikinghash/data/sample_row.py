"""What a store knows of one sample beside its inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from spikinghash.frames.account import EventAccount


@dataclass(frozen=True)
class SampleRow:
    """`labels` are class names: none, one or several, each once. Samples of one `group` belong together.

    `origin` is the recording or path it was made from, `sha256` the digest of that file. `accounts` has, by modality
    name, one for each event clip of the sample; what is no event clip has none.
    """

    sample_id: str
    group: str
    labels: tuple[str, ...]
    split: str
    origin: str
    sha256: str
    accounts: Mapping[str, EventAccount] = field(default_factory=dict)

    @property
    def label(self) -> str | None:
        """The first label, for tables that hold one."""
        return self.labels[0] if self.labels else None


def labels_of(label: str | None) -> tuple[str, ...]:
    """Of a recording that has one label or none."""
    return () if label is None else (label,)
