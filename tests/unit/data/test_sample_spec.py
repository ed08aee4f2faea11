"""What a sample may consist of, and how it is told to stores and models."""

import json

import pytest
from sample_cases import FEATURES, IMAGE, META, SPECS

from spikinghash.data.described import digest_of, event_field, framing_of, from_text, to_text
from spikinghash.data.picture import PictureFrame
from spikinghash.data.sample_spec import FieldSpec, SampleSpec


@pytest.mark.parametrize(
    ("kind", "shape", "dtype"),
    [
        ("events", (2, 3, 4, 4), "uint8"),
        ("events", (2, 2, 4), "uint8"),
        ("events", (2, 2, 4, 4), "int8"),
        ("image", (1, 4, 4), "uint8"),
        ("image", (3, 4, 4), "float32"),
        ("features", (2, 4), "float32"),
        ("features", (4,), "float64"),
        ("tokens", (4,), "float32"),
        ("tokens", (0,), "int32"),
        ("tokens", (True,), "int32"),
        ("tokens", ("4",), "int32"),
        ("sound", (4,), "float32"),
    ],
)
def test_what_is_no_kind_of_sample(kind, shape, dtype):
    with pytest.raises(ValueError, match=kind):
        FieldSpec(kind, shape, dtype)


@pytest.mark.parametrize("made_by", [{"a": (1, 2)}, {1: 2}, {"a": {"b": {3}}}])
def test_made_by_is_plain_json(made_by):
    with pytest.raises((ValueError, TypeError), match="JSON"):
        FieldSpec("features", (3,), "float32", made_by)


@pytest.mark.parametrize("name", ["labels", "group", "Text", "2nd", "a-b", "", "sample_id"])
def test_modalities_have_names_of_their_own(name):
    with pytest.raises(ValueError, match="no modality may be called"):
        SampleSpec({name: FEATURES})


def test_a_modality_called_as_another_ones_column():
    with pytest.raises(ValueError, match="no modality may be called"):
        SampleSpec({"events": event_field(META), "events_account": FEATURES})


def test_the_order_of_modalities_is_that_of_their_names():
    one, other = SampleSpec({"a": FEATURES, "b": IMAGE}), SampleSpec({"b": IMAGE, "a": FEATURES})
    assert one == other
    assert one.digest == other.digest
    assert list(other.fields) == ["a", "b"]


def test_every_change_changes_the_digest():
    specs = [*SPECS.values(), SampleSpec({"text": FEATURES}), SampleSpec({"text": IMAGE})]
    changed = FieldSpec("features", (7,), "float16", dict(FEATURES.made_by) | {"words": 8})
    specs.append(SampleSpec({"text": changed}))
    assert len({spec.digest for spec in specs}) == len(specs)


@pytest.mark.parametrize("field", [event_field(META), IMAGE, FEATURES], ids=lambda field: field.kind)
def test_the_text_that_models_keep(field):
    assert from_text(to_text(field)) == (field, digest_of(field))
    assert json.loads(to_text(field))["digest"] == digest_of(field)
    broken = to_text(field).replace("4", "5").replace("7", "8")
    with pytest.raises(ValueError, match="match its digest"):
        from_text(broken)


#: Written down by the program that called a picture a clip of one step.
OLD_PICTURE = (
    '{"channels": 3, "config": {"picture": "resized"}, "digest": '
    '"6e86c672f64a880f71ad83203a9108eda71be23366f420cf8cf8179ae3c0cbee", "dtype": "uint8", "height": 24, '
    '"polarities": 3, "schema_version": 1, "steps": 1, "width": 32}'
)


def test_saved_models_of_pictures_are_understood():
    field, digest = from_text(OLD_PICTURE)
    assert field == PictureFrame(32, 24, resize=True).field()
    assert digest == json.loads(OLD_PICTURE)["digest"]
    with pytest.raises(ValueError, match="match its digest"):
        from_text(OLD_PICTURE.replace("24", "25"))


def test_event_clips_are_told_by_their_framing():
    field = event_field(META)
    assert to_text(field) == META.to_json()
    assert digest_of(field) == META.digest
    assert framing_of(field) == META
    with pytest.raises(ValueError, match="not what their description says"):
        framing_of(FieldSpec("events", (4, 2, 4, 4), "uint8", field.made_by))
