"""The one colour table of all event pictures: ON vermillion, OFF blue, both dark (or bright), nothing the ground.

The two hues are those of Okabe and Ito, which people with any common colour blindness can tell apart.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Ground = Literal["light", "dark"]

#: Steps of brightness per polarity, 0 = no event.
LEVELS = 8
#: Where the colours of frames and text begin; below are LEVELS * on + off.
GREYS = LEVELS * LEVELS
GREY_LEVELS = 8
SAME, OTHER, NEUTRAL = GREYS + GREY_LEVELS, GREYS + GREY_LEVELS + 1, GREYS + GREY_LEVELS + 2

ON_RGB = {"light": (213, 94, 0), "dark": (255, 138, 66)}
OFF_RGB = {"light": (0, 114, 178), "dark": (86, 180, 255)}
GROUND_RGB = {"light": (255, 255, 255), "dark": (16, 18, 24)}
INK_RGB = {"light": (26, 26, 26), "dark": (236, 236, 236)}
SAME_RGB = (26, 127, 55)
OTHER_RGB = (198, 40, 40)
NEUTRAL_RGB = (128, 134, 142)


def palette(ground: Ground = "light") -> NDArray[np.uint8]:
    """Colours uint8 [GREYS + GREY_LEVELS + 3, 3]: event colours, greys from ground to ink, then the frame colours."""
    base, on, off, ink = (np.array(table[ground], dtype=np.float64) for table in (GROUND_RGB, ON_RGB, OFF_RGB, INK_RGB))
    strength = np.linspace(0, 1, LEVELS)
    events = base + strength[:, None, None] * (on - base) + strength[None, :, None] * (off - base)
    greys = base + np.linspace(0, 1, GREY_LEVELS)[:, None] * (ink - base)
    rows = [events.reshape(-1, 3), greys, np.array([SAME_RGB, OTHER_RGB, NEUTRAL_RGB])]
    return np.rint(np.clip(np.concatenate(rows), 0, 255)).astype(np.uint8)
