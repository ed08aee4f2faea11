"""A picture as a clip: one frame of pixels, the direct-encoding convention of spiking networks."""

from __future__ import annotations

from dataclasses import dataclass

from spikinghash.datasets.image_bytes import Pixels
from spikinghash.datasets.picture_file import PictureFile, Size
from spikinghash.datasets.recording import Recording
from spikinghash.errors import BadRecording, ConfigError
from spikinghash.frames.accumulate import Frames
from spikinghash.frames.schema import ClipRow, FrameMeta
from spikinghash.schema import PIXEL_CHANNELS

_KEY = "picture"


@dataclass(frozen=True)
class PictureFrame:
    """What makes a picture a clip [1, 3, height, width] uint8: scaled and cropped to that size if `resize`, else it has
    to have it.
    """

    width: int
    height: int
    resize: bool

    def meta(self) -> FrameMeta:
        """Description of a store of such clips."""
        config = {_KEY: "resized" if self.resize else "as it is"}
        return FrameMeta(1, self.height, self.width, "uint8", config, channels=PIXEL_CHANNELS)

    @classmethod
    def of(cls, meta: FrameMeta) -> PictureFrame:
        """Undo `meta`; raises `ConfigError` for a store of something else."""
        frame = cls(meta.width, meta.height, meta.config.get(_KEY) == "resized")
        if meta != frame.meta():
            raise ConfigError(f"frames made as {dict(meta.config)} are no pictures that this program makes")
        return frame

    def pixels(self, content: bytes, file: PictureFile) -> Frames:
        """The clip of one picture's bytes; raises `BadRecording`."""
        size: Size = (self.width, self.height)
        pixels: Pixels = file.decode(content, size if self.resize else None)
        height, width = pixels.shape[1:]
        if (width, height) != size:
            raise BadRecording(
                "sensor",
                f"it has {width}x{height} pixels, the data set {size[0]}x{size[1]}; dataset.sensor resizes all",
            )
        return pixels[None]


def picture_row(recording: Recording, split: str, sha256: str) -> ClipRow:
    """The row of a picture: no times, no events; `sha256` is the digest of its own bytes."""
    name = recording.recording_id
    return ClipRow(name, name, recording.label, split, 0, 0, 0, 0, {}, sha256)
