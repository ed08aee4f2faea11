"""The description of event framing: models and codes name its digest, so it stays what it was."""

import json

import pytest

from spikinghash.frames.frame_meta import FrameMeta
from spikinghash.frames.framing import Framing


def test_descriptions_keep_their_digest():
    """Written down by the program that knew events alone."""
    meta = Framing(4).meta((34, 34))
    assert meta.digest == "2461bcc54995e98f1b606cf4d6f9cdbcdad5b9524b2c9d4e3b120d729c81412f"
    assert json.loads(meta.to_json())["polarities"] == 2
    assert FrameMeta.from_json(meta.to_json()) == meta
    assert meta.shape == (4, 2, 34, 34)


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"steps": True}, {"height": "3"}, {"dtype": "int8"}])
def test_no_other_clips(wrong):
    with pytest.raises(ValueError, match="no clips are"):
        FrameMeta(**({"steps": 1, "height": 2, "width": 2, "dtype": "uint8"} | wrong))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema_version": 99}, "schema version 99"),
        ({"steps": 3}, "digest"),
        ({"extra": 1}, "wrong keys"),
        ({"channels": 3}, "wrong keys"),
    ],
)
def test_damaged_descriptions(change, message):
    content = json.loads(Framing(4).meta((34, 34)).to_json()) | change
    with pytest.raises(ValueError, match=message):
        FrameMeta.from_json(json.dumps(content))
