"""Descriptions of models of one input, event clips or images."""

from spikinghash.data.described import event_field, from_text
from spikinghash.frames.framing import Framing
from spikinghash.methods.model_input import ModelInput
from spikinghash.methods.spec import ModelSpec


def frame_spec(
    method, size, bits, classes, steps, height, width, sensor, count_clip=8, surrogate="atan", field=None,
    variant="full", **options,
):  # fmt: skip
    """A model of samples described by `field`, by default whole recordings of that sensor in `steps` bins."""
    if isinstance(field, str):
        field, _ = from_text(field)
    field = field or event_field(Framing(steps).meta(sensor))
    seen = () if field.kind == "features" else (height, width, count_clip)
    again = None if field.kind == "events" else steps
    own = {"network_size": size, "surrogate": surrogate, "steps": again, **options}
    return ModelSpec(method, bits, tuple(classes), {field.kind: ModelInput(field, *seen)}, own, variant)
