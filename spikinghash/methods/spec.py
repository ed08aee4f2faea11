"""What a saved model is: everything needed to rebuild the network, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from spikinghash.errors import BadCheckpoint, ConfigError
from spikinghash.methods.model_input import ModelInput


@dataclass(frozen=True)
class ModelSpec:
    """Samples and choices of one trained network.

    `inputs` are what the network takes, by modality. `classes` are label names in the order of a batch's targets.
    `options` are the method's own, by name (`methods/options.py`). `variant` is an ablation by name, "full" is none.
    """

    method: str
    bits: int
    classes: tuple[str, ...]
    inputs: Mapping[str, ModelInput]
    options: Mapping[str, Any] = field(default_factory=dict)
    variant: str = "full"

    @property
    def modality(self) -> str:
        """The name of the one input; `ConfigError` where there are several."""
        if len(self.inputs) != 1:
            raise ConfigError(f"{self.method} takes {' and '.join(self.inputs)}; this works for models of one input")
        return next(iter(self.inputs))

    @property
    def input(self) -> ModelInput:
        """The one input; errors as in `modality`."""
        return self.inputs[self.modality]

    def changed(self, **options: Any) -> ModelSpec:
        """With other options."""
        return replace(self, options={**self.options, **options})

    def to_json(self) -> dict[str, Any]:
        """As a JSON-ready dictionary."""
        return {
            "method": self.method,
            "bits": self.bits,
            "classes": list(self.classes),
            "inputs": {name: one.to_json() for name, one in sorted(self.inputs.items())},
            "options": dict(self.options),
            "variant": self.variant,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> ModelSpec:
        """Strict reading: unknown, missing or mistyped keys raise `BadCheckpoint`."""
        known = {f.name for f in fields(cls)}
        if set(data) != known:
            wrong = sorted(set(data) ^ known)
            raise BadCheckpoint(f"model.json: spec has missing or unknown keys: {', '.join(wrong)}")
        bits = data["bits"]
        if type(bits) is not int or not 0 < bits <= 65536 or bits % 8:
            raise BadCheckpoint(f"model.json: spec.bits must be a multiple of 8 from 8 to 65536, not {bits!r}")
        for name in ("method", "variant"):
            if not isinstance(data[name], str):
                raise BadCheckpoint(f"model.json: spec.{name} must be text, not {data[name]!r}")
        classes = data["classes"]
        if not (isinstance(classes, list) and all(isinstance(c, str) for c in classes)):
            raise BadCheckpoint("model.json: spec.classes must be a list of names")
        for name in ("inputs", "options"):
            if not isinstance(data[name], dict):
                raise BadCheckpoint(f"model.json: spec.{name} must be an object, not {data[name]!r}")
        if not data["inputs"]:
            raise BadCheckpoint("model.json: spec.inputs is empty; a network takes something")
        inputs = {name: ModelInput.from_json(name, one) for name, one in data["inputs"].items()}
        return cls(data["method"], bits, tuple(classes), inputs, data["options"], data["variant"])
