"""From what an importer found to a pair, or the reason why not."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from spikinghash.datasets.isolated_picture import decode_isolated
from spikinghash.errors import BadRecording
from spikinghash.events.source import open_source
from spikinghash.pairs.pair import BadPair, Candidate, Pair

Need = Literal["image", "text", "labels"]
_FEATURE_TYPES = ("float16", "float32")


def admit(found: Candidate, split: str | None, needs: frozenset[Need]) -> Pair:
    """The pair in the given split, with its picture read and decoded once to see that it can be.

    It has what `needs` names: an image (a picture or its feature), a text (the same), labels. Raises `BadPair`.
    """
    if split is None:
        raise BadPair("no-split", "no split names it; add it to one, or leave it refused")
    # NUL stands where fixed-width texts of other programs end
    text = tuple(stripped for one in found.text if (stripped := one.replace("\0", " ").strip()))
    labels = tuple(dict.fromkeys(label for label in found.labels if label.strip()))
    image = _picture(found, needed="image" in needs and found.image_feature is None)
    features = _feature(found.image_feature, "image"), _feature(found.text_feature, "text")
    if "image" in needs and image is None and features[0] is None:
        raise BadPair("missing-picture", "it has no picture and no image feature")
    if "text" in needs and not text and features[1] is None:
        raise BadPair("empty-text", "it has no text and no text feature")
    if "labels" in needs and not labels:
        raise BadPair("no-label", "it has no label")
    if image is None and not text and all(one is None for one in features):
        raise BadPair("row", "it has neither picture nor text nor features")
    group = found.group or found.pair_id
    return Pair(found.pair_id, group, split, labels, image, features[0], text, features[1], found.origin)


def _picture(found: Candidate, *, needed: bool) -> bytes | None:
    if found.picture is None:
        return None
    try:
        data = found.picture if isinstance(found.picture, bytes) else open_source(found.picture).data
    except BadRecording as error:
        if not needed:
            return None
        raise BadPair("missing-picture", f"{found.picture!s}: {error.message}") from None
    try:
        decode_isolated(data)
    except BadRecording as error:
        raise BadPair("broken-picture", f"{error.reason}: {error.message}") from None
    return data


def _feature(values: NDArray[Any] | None, what: str) -> NDArray[Any] | None:
    if values is None:
        return None
    if values.ndim != 1 or not values.size or values.dtype not in _FEATURE_TYPES:
        wanted = "one row of float16 or float32"
        raise BadPair("feature", f"its {what} feature is {list(values.shape)} {values.dtype}, not {wanted}")
    if not np.isfinite(values).all():
        raise BadPair("feature", f"its {what} feature has a value that is not finite")
    return values
