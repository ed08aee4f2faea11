"""The section `tune` of `params.yaml`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator, model_validator

from spikinghash.param_section import Section

Positive = Annotated[int, Field(ge=1)]
Value = bool | int | float | str


class DomainParams(Section):
    """Either `low`, `high` and perhaps `log`, or `values`."""

    low: int | float | None = None
    high: int | float | None = None
    log: bool = False
    values: tuple[Value, ...] | None = Field(default=None, strict=False, min_length=1)

    @model_validator(mode="after")
    def _one_kind(self) -> DomainParams:
        if self.values is not None:
            if self.low is not None or self.high is not None or self.log:
                raise ValueError("give low and high, or values, not both")
        elif self.low is None or self.high is None:
            raise ValueError("give low and high, or values")
        elif self.low >= self.high:
            raise ValueError(f"low {self.low} must be below high {self.high}")
        elif self.log and self.low <= 0:
            raise ValueError("a logarithm needs low above 0")
        return self


class TuneParams(Section):
    """Bounds of the search, and its space by key of `params.yaml`."""

    trials: Positive = 16
    concurrent: Positive = 2
    grace_epochs: Positive = 3
    reduction: int = Field(default=3, ge=2)
    hours: float = Field(default=4.0, gt=0.0)
    seed: int = Field(default=1, ge=0)
    space: dict[str, DomainParams] = Field(default_factory=dict)

    @field_validator("space")
    @classmethod
    def _of_training(cls, space: dict[str, DomainParams]) -> dict[str, DomainParams]:
        for key in space:
            if key.split(".")[0] not in ("model", "train") or key == "train.seed":
                raise ValueError(f"{key} is no hyper-parameter of training: keys are those of model and train, no seed")
        return space
