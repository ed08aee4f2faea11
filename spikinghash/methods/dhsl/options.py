"""What may be chosen of DHSL."""

from __future__ import annotations

from pydantic.dataclasses import dataclass

from spikinghash.errors import ConfigError
from spikinghash.methods.options import STRICT

#: Ablations: without a part of the network, or of the loss.
VARIANTS = ("full", "no-relation", "no-intra", "no-selector", "unweighted", "no-quantisation")


@dataclass(frozen=True, config=STRICT)
class DhslOptions:
    """`hidden`, `low` and `selected` are widths of the branch, of its output and of the selected features;
    `relation_hidden` that of the relation network. `relation`, `triplet`, `quantisation` and `similarity` weigh the
    loss, the last the cosine's distance to the hash similarity matrix.
    """

    hidden: int = 1024
    low: int = 512
    selected: int = 256
    relation_hidden: int = 128
    margin: float = 0.4
    relation: float = 1.0
    triplet: float = 1.0
    quantisation: float = 0.1
    similarity: float = 0.0

    def __post_init__(self) -> None:
        if min(self.hidden, self.low, self.selected, self.relation_hidden) < 1:
            raise ConfigError("dhsl: widths are at least 1")
        if min(self.margin, self.relation, self.triplet, self.quantisation, self.similarity) < 0:
            raise ConfigError("dhsl: weights and margin are at least 0")
