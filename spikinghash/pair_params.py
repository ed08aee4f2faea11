"""The parameters of a project of pairs: where pairs and their features come from, and what every project says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from spikinghash.errors import ConfigError
from spikinghash.param_section import Section, check_as
from spikinghash.params import ProjectParams
from spikinghash.strict_yaml import read_yaml

Share = Annotated[float, Field(ge=0.0, lt=1.0)]


class DigitPairsParams(Section):
    """The set that the project makes itself: the seed of its drawing, and the first so many of its digits."""

    seed: int = Field(default=1, ge=0)
    limit: Annotated[int, Field(ge=20)] | None = None


class SplitParams(Section):
    """How pairs are split, by one of: `stated` in the set, `rows` (ranges), `file` (lists), `drawn` (fractions), or a
    published `protocol`.

    `val_fraction` of what would train is drawn for validation.
    """

    stated: bool = False
    rows: dict[str, str] | None = None
    file: str | None = None
    drawn: dict[str, Share] | None = None
    protocol: str | None = None
    val_fraction: Share = 0.0
    seed: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _one_rule(self) -> SplitParams:
        named = (self.rows, self.file, self.drawn, self.protocol)
        if self.stated + sum(one is not None for one in named) != 1:
            raise ValueError("say one of stated, rows, file, drawn, protocol")
        if self.protocol is not None and self.val_fraction:
            raise ValueError("a protocol has no validation pairs; leave val_fraction out")
        return self


class PairsParams(Section):
    """Where pairs come from: `an importer with its options, from a file or folder; what every pair needs."""

    path: str
    importer: str
    options: dict[str, Any] = Field(default_factory=dict)
    split: SplitParams
    needs: tuple[Literal["image", "text", "labels"], ...] = Field(default=("image", "text"), strict=False)


class FrontEndParams(Section):
    """A front end with its options, and the captions that make one text."""

    front_end: str
    options: dict[str, Any] = Field(default_factory=dict)
    captions: tuple[Annotated[int, Field(ge=0)], ...] | None = Field(default=None, strict=False, min_length=1)


class FeaturesParams(Section):
    """A front end for each modality there shall be."""

    image: FrontEndParams | None = None
    text: FrontEndParams | None = None
    store: Literal["parquet", "hdf5"] = "parquet"

    @model_validator(mode="after")
    def _something(self) -> FeaturesParams:
        if self.image is None and self.text is None:
            raise ValueError("name a front end for image, for text, or both")
        if self.image is not None and self.image.captions is not None:
            raise ValueError("captions are of texts; image has none")
        return self


class PairParams(ProjectParams):
    """The whole of the `params.yaml` of a project of pairs."""

    digit_pairs: DigitPairsParams = DigitPairsParams()
    pairs: PairsParams
    features: FeaturesParams


def load_pair_params(path: Path) -> PairParams:
    """Read and check; raises `ConfigError` with one line naming the key, the rule and, for a typo, the nearest key."""
    try:
        content = read_yaml(path)
    except FileNotFoundError:
        raise ConfigError(f"{path}: not found; run inside the folder of the project of pairs") from None
    return check_as(PairParams, content, path)
