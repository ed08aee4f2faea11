"""Event counts and raw events to animated pictures."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from spikinghash.events.events import Events
from spikinghash.frames.accumulate import accumulate
from spikinghash.report.palette import Ground, palette
from spikinghash.report.picture import Indices, Numbers, clip_png, colour_indices, factor_for, fit_side, upscale

LOOP_MS = 1200
FRAME_MS = 80
WINDOWS = 24
MOST_FRAMES = 24


def clip_gif(
    counts: Numbers, *, side: int = 256, ground: Ground = "light", most_frames: int = MOST_FRAMES
) -> tuple[bytes, tuple[int, int]]:
    """A clip [T, 2, H, W] as an endless GIF of T frames, and its (width, height) in pixels.

    The longer side is at most `side`, scaled by whole factors; beyond `most_frames`, successive steps are added up.
    """
    frames = clip_frames(counts, side=side, most_frames=most_frames)
    return encode_gif(frames, ground, frame_ms=loop_frame_ms(len(frames))), (frames.shape[2], frames.shape[1])


def clip_frames(counts: Numbers, *, side: int, most_frames: int = MOST_FRAMES) -> Indices:
    """Palette indices uint8 [T, H, W] of a clip [T, 2, H, W], fitted to `side` and at most `most_frames` steps."""
    fitted = fit_side(merge_steps(counts, most_frames), side)
    return upscale(colour_indices(fitted), factor_for(fitted, side))


def merge_steps(counts: Numbers, most: int) -> Numbers:
    """Add up successive steps of [T, 2, H, W] until there are at most `most`; no event is lost."""
    T = counts.shape[0]
    if most >= T:
        return counts
    return np.add.reduceat(
        counts.astype(np.float64 if counts.dtype.kind == "f" else np.int64), np.arange(most) * T // most, axis=0
    )


def events_gif(events: Events, *, windows: int = WINDOWS, side: int = 320, ground: Ground = "light") -> bytes:
    """A recording as a smooth endless GIF of `windows` equal time windows; `events` is not changed."""
    counts = accumulate(events, windows, dtype="uint16").counts
    return encode_gif(clip_frames(counts, side=side, most_frames=windows), ground, frame_ms=FRAME_MS)


def events_png(events: Events, *, side: int = 320, ground: Ground = "light") -> bytes:
    """All events of a recording added up in one PNG whose longer side is at most `side` pixels."""
    return clip_png(accumulate(events, 1, dtype="uint16").counts, side=side, ground=ground)


def loop_frame_ms(frames: int) -> int:
    """Time per frame so that a loop takes about 1.2 s; GIF counts in hundredths of a second."""
    return max(40, LOOP_MS // frames // 10 * 10)


def encode_gif(frames: Indices, ground: Ground = "light", *, frame_ms: int) -> bytes:
    """Endless GIF of palette indices uint8 [T, H, W]; the same pixels give the same bytes.

    Successive frames that are equal are stored as one that stays longer.
    """
    colours = palette(ground).tobytes()
    pictures = []
    for frame in frames:
        picture = Image.fromarray(frame)
        picture.putpalette(colours)
        pictures.append(picture)
    out = io.BytesIO()
    pictures[0].save(
        out, format="GIF", save_all=True, append_images=pictures[1:], duration=frame_ms, loop=0, optimize=False
    )
    return out.getvalue()
