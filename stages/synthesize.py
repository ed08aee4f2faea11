"""Stage `synthesize`: the default data set, as ordinary recording files."""

from __future__ import annotations

from spikinghash.datasets.digits import synthesize_digits
from spikinghash.events.camera import CameraParams
from spikinghash.params import Params
from stages.run_stage import RAW, run


def synthesize(params: Params) -> None:
    """Film the digits."""
    p = params.synthesize
    camera = CameraParams(
        p.on_threshold, p.off_threshold, p.mismatch_sigma, p.refractory_us, p.noise_rate_hz, seed=p.seed
    )
    synthesize_digits(RAW, seed=p.seed, camera=camera, limit=p.limit)


if __name__ == "__main__":
    run(synthesize)
