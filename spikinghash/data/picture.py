"""A picture as an image: its pixels, scaled or as they are."""

from __future__ import annotations

from dataclasses import dataclass

from spikinghash.data.sample_row import SampleRow, labels_of
from spikinghash.data.sample_spec import FieldSpec
from spikinghash.datasets.image_bytes import Pixels
from spikinghash.datasets.picture_file import PictureFile, Size
from spikinghash.datasets.recording import Recording
from spikinghash.errors import BadRecording, ConfigError
from spikinghash.schema import PIXEL_CHANNELS

_KEY = "picture"


@dataclass(frozen=True)
class PictureFrame:
    """What makes a picture an image [3, height, width] uint8: scaled and cropped to that size if `resize`, else it has
    to have it.
    """

    width: int
    height: int
    resize: bool

    def field(self) -> FieldSpec:
        """Description of such images."""
        made_by = {_KEY: "resized" if self.resize else "as it is"}
        return FieldSpec("image", (PIXEL_CHANNELS, self.height, self.width), "uint8", made_by)

    @classmethod
    def of(cls, field: FieldSpec) -> PictureFrame:
        """Undo `field`; raises `ConfigError` for anything else."""
        height, width = field.shape[-2:]
        frame = cls(width, height, field.made_by.get(_KEY) == "resized")
        if field != frame.field():
            raise ConfigError(f"{field.kind} made by {dict(field.made_by)} are no pictures that this program makes")
        return frame

    def pixels(self, content: bytes, file: PictureFile) -> Pixels:
        """Pixels [3, H, W] of one picture's bytes; raises `BadRecording`."""
        size: Size = (self.width, self.height)
        pixels: Pixels = file.decode(content, size if self.resize else None)
        height, width = pixels.shape[1:]
        if (width, height) != size:
            raise BadRecording(
                "sensor",
                f"it has {width}x{height} pixels, the data set {size[0]}x{size[1]}; dataset.sensor resizes all",
            )
        return pixels


def picture_row(recording: Recording, split: str, sha256: str) -> SampleRow:
    """The row of a picture; `sha256` is the digest of its own bytes."""
    name = recording.recording_id
    return SampleRow(name, name, labels_of(recording.label), split, name, sha256)
