"""A simulated event camera: luminance over time in, events out.

The pixel model is that of ESIM (Rebecq et al. 2018, "ESIM: an Open Event Camera Simulator", CoRL) and v2e (Hu et al.
2021, "v2e: From Video Frames to Realistic DVS Events", CVPRW): each pixel remembers the logarithm of a luminance, and
whenever the logarithm moves a threshold away from it, sends an event and moves the memory by that threshold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikinghash.events.events import Events
from spikinghash.events.validate import validate
from spikinghash.kernels.jit import kernel

#: No pixel is more sensitive than this, however unlucky its mismatch (as v2e).
MIN_THRESHOLD = 0.01
#: Luminance below this is treated as this, so that black has a logarithm.
MIN_LUMINANCE = 1e-3


@dataclass(frozen=True)
class CameraParams:
    """One simulated camera. Two cameras differ in `seed`, which fixes the mismatch of its pixels and its noise.

    Thresholds and their pixel-to-pixel standard deviation are in natural-log units of luminance, `refractory_us` is
    the shortest time between two events of a pixel, `noise_rate_hz` the rate of background events of each pixel.
    """

    on_threshold: float = 0.25
    off_threshold: float = 0.25
    mismatch_sigma: float = 0.03
    refractory_us: int = 500
    noise_rate_hz: float = 0.5
    seed: int = 0


Arrivals = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


def film(luminance: NDArray[np.floating], times_us: NDArray[np.int64], params: CameraParams, sample: int = 0) -> Events:
    """Show a clip to the camera.

    `luminance` [F, H, W] is linear and >= 0, frame f seen at `times_us[f]` (strictly increasing, >= 0). Between two
    frames the log luminance is taken as linear in time, which gives each crossing its own time, floored to 1 us.
    `sample` varies the noise, not the pixels. Crossings within the refractory time of an event are lost, as in ESIM.
    Same arguments, same events; they are sorted by time, then row, column, polarity.
    Raises `ValueError` for bad shapes or times, `BadRecording("no-events")` when nothing moved and there is no noise.
    """
    frames, height, width = luminance.shape
    if times_us.shape != (frames,) or frames < 2 or times_us[0] < 0 or (np.diff(times_us) <= 0).any():
        raise ValueError("film needs at least two frames and one increasing time for each")
    log = np.log(np.maximum(luminance.astype(np.float64), MIN_LUMINANCE)).reshape(frames, height * width)
    on, off = _thresholds(params, height * width)
    signal = _crossings(log, times_us.astype(np.int64), on, off)
    noise = _background(params, sample, height * width, int(times_us[0]), int(times_us[-1]))
    t, pixel, p = (np.concatenate(pair) for pair in zip(signal, noise, strict=True))
    order = np.argsort((t * (height * width) + pixel) * 2 + p, kind="stable")
    t, pixel, p = t[order], pixel[order], p[order]
    alive = _outside_refractory(t, pixel, params.refractory_us, height * width)
    t, pixel, p = t[alive], pixel[alive], p[alive]
    return validate(t, pixel % width, pixel // width, p, sensor=(width, height), format="camera")


def _thresholds(params: CameraParams, pixels: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Thresholds of each pixel [H*W]; they belong to the camera and are the same in all its recordings."""
    rng = np.random.default_rng([params.seed, 0])
    mismatch = rng.standard_normal((2, pixels)) * params.mismatch_sigma
    on = np.maximum(params.on_threshold + mismatch[0], MIN_THRESHOLD)
    return on, np.maximum(params.off_threshold + mismatch[1], MIN_THRESHOLD)


def _crossings(
    log: NDArray[np.float64], times_us: NDArray[np.int64], on: NDArray[np.float64], off: NDArray[np.float64]
) -> Arrivals:
    """Threshold crossings (t, pixel, polarity) of log luminance [F, H*W], by pixel, without refractory time."""
    nothing = np.empty(0, dtype=np.int64)
    count = _cross(log, times_us, on, off, (nothing, nothing, nothing))
    found = (np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64))
    _cross(log, times_us, on, off, found)
    return found


@kernel
def _cross(
    log: NDArray[np.float64],
    times_us: NDArray[np.int64],
    on: NDArray[np.float64],
    off: NDArray[np.float64],
    out: Arrivals,
) -> int:
    """Count the crossings of all pixels, and write down as many as `out` has room for."""
    count = 0
    for pixel in range(log.shape[1]):
        memory = log[0, pixel]
        for f in range(1, log.shape[0]):
            before, now = log[f - 1, pixel], log[f, pixel]
            # an unmoved pixel cannot cross, even where rounding left it a hair beyond its threshold
            if now == before:
                continue
            rising = now > before
            step = on[pixel] if rising else -off[pixel]
            crossed = int(np.floor((now - memory) / step))
            for n in range(1, crossed + 1):
                if count < out[0].size:
                    share = min(max((memory + n * step - before) / (now - before), 0.0), 1.0)
                    out[0][count] = times_us[f - 1] + int(np.floor(share * (times_us[f] - times_us[f - 1])))
                    out[1][count] = pixel
                    out[2][count] = 1 if rising else 0
                count += 1
            if crossed > 0:
                memory += crossed * step
    return count


def _background(params: CameraParams, sample: int, pixels: int, start_us: int, end_us: int) -> Arrivals:
    """Background events (t, pixel, polarity): a Poisson process of equal rate everywhere, half ON, half OFF."""
    rng = np.random.default_rng([params.seed, 1, sample])
    count = int(rng.poisson(params.noise_rate_hz * pixels * (end_us - start_us) * 1e-6))
    t = rng.integers(start_us, end_us, size=count, endpoint=True)
    return t, rng.integers(0, pixels, size=count), rng.integers(0, 2, size=count)


@kernel
def _outside_refractory(
    t: NDArray[np.int64], pixel: NDArray[np.int64], refractory_us: int, pixels: int
) -> NDArray[np.bool_]:
    """Which of the time-sorted events come late enough after the last surviving event of their pixel."""
    last = np.full(pixels, -(2**62), dtype=np.int64)
    alive = np.zeros(t.size, dtype=np.bool_)
    for i in range(t.size):
        if t[i] - last[pixel[i]] >= refractory_us:
            alive[i] = True
            last[pixel[i]] = t[i]
    return alive
