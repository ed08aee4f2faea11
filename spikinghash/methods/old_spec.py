"""The description of models from before a network could take several inputs."""

from __future__ import annotations

from typing import Any

from spikinghash.data.described import from_text
from spikinghash.errors import BadCheckpoint
from spikinghash.methods.model_input import ModelInput
from spikinghash.methods.spec import ModelSpec

#: Schema of such a `model.json`.
OLD_SCHEMA = 2
_KEYS = {
    "method", "size", "bits", "classes", "steps", "height", "width", "sensor", "count_clip", "surrogate",
    "frames_digest", "frames", "variant",
}  # fmt: skip


def spec_of_old(data: dict[str, Any]) -> ModelSpec:
    """What it says, in today's form; raises `BadCheckpoint` as `ModelSpec.from_json`."""
    if set(data) != _KEYS:
        wrong = ", ".join(sorted(set(data) ^ _KEYS))
        raise BadCheckpoint(f"model.json: spec has missing or unknown keys: {wrong}")
    try:
        kind = from_text(data["frames"])[0].kind
    except (ValueError, TypeError, KeyError) as error:
        raise BadCheckpoint(f"model.json: it does not say how samples are made ({error})") from None
    seen = {name: data[name] for name in ("height", "width", "count_clip")}
    one = {"samples": data["frames"], "digest": data["frames_digest"]} | seen
    steps = data["steps"] if ModelInput.from_json(kind, one).steps == 1 else None
    options = {"network_size": data["size"], "surrogate": data["surrogate"], "steps": steps}
    same = {name: data[name] for name in ("method", "bits", "classes", "variant")}
    return ModelSpec.from_json(same | {"inputs": {kind: one}, "options": options})
