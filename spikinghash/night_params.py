"""When a night needs a person: the bounds of the night report."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from spikinghash.param_section import Section

Share = Annotated[float, Field(ge=0.0, le=1.0)]


class NightParams(Section):
    """`refused_share` of what was new, `drift` of the share of ones per bit, and the mean `recall` of the pinned
    queries: beyond them a person must act. `pinned` is how many queries are kept, 0 for none.
    """

    refused_share: Share = 0.1
    drift: Share = 0.25
    recall: Share = 1.0
    pinned: Annotated[int, Field(ge=0, le=1000)] = 8
