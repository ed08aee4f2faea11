"""How a modality is told to models and code tables: event clips by their framing, everything else by its own
description.

The text of event clips is `FrameMeta.to_json`, as in every model there is, and so keeps its digest.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from spikinghash.data.sample_spec import FieldSpec
from spikinghash.frames.frame_meta import FrameMeta
from spikinghash.schema import PIXEL_CHANNELS


def event_field(meta: FrameMeta) -> FieldSpec:
    """Event clips framed so."""
    return FieldSpec("events", meta.shape, meta.dtype, json.loads(meta.to_json()))


def framing_of(field: FieldSpec) -> FrameMeta:
    """Undo `event_field`; raises `ValueError` for anything else."""
    meta = FrameMeta.from_json(json.dumps(dict(field.made_by)))
    if field != event_field(meta):
        raise ValueError(f"{field.kind} {list(field.shape)} are not what their description says")
    return meta


def to_text(field: FieldSpec) -> str:
    """The description as a model keeps it."""
    if field.kind == "events":
        return framing_of(field).to_json()
    return json.dumps(field.content() | {"digest": field.digest}, sort_keys=True)


def from_text(text: str) -> tuple[FieldSpec, str]:
    """Undo `to_text`: the modality, and the digest that the text names it by; raises `ValueError` for damage."""
    content = json.loads(text)
    if not isinstance(content, dict) or "kind" not in content:
        if isinstance(content, dict) and content.get("channels") == PIXEL_CHANNELS:
            return _old_picture(content)
        meta = FrameMeta.from_json(text)
        return event_field(meta), meta.digest
    digest = content.pop("digest", None)
    field = FieldSpec.of(content)
    if field.digest != digest:
        raise ValueError("its description does not match its digest")
    return field, field.digest


def _old_picture(content: dict[str, Any]) -> tuple[FieldSpec, str]:
    """Models of pictures from before there were kinds call a picture a clip of one step and three channels."""
    digest = content.pop("digest", None)
    content.pop("polarities", None)
    if hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest() != digest:
        raise ValueError("its description does not match its digest")
    shape = content["channels"], content["height"], content["width"]
    return FieldSpec("image", shape, content["dtype"], content["config"]), digest


def digest_of(field: FieldSpec) -> str:
    """SHA-256 that models and codes name the modality by, 64 hexadecimal digits."""
    return framing_of(field).digest if field.kind == "events" else field.digest
