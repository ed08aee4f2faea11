"""Which modality of a sample a person looks at."""

from __future__ import annotations

from spikinghash.data.sample_spec import SampleSpec
from spikinghash.errors import BadStore


def drawable(spec: SampleSpec) -> str:
    """Name of the first modality of event clips, else of the first one of images; `BadStore` where there is neither."""
    for kind in ("events", "image"):
        for name, one in spec.fields.items():
            if one.kind == kind:
                return name
    raise BadStore(f"samples of {', '.join(spec.fields)} cannot be drawn or compared as pictures")
